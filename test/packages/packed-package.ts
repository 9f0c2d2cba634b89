import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** A package from `npm pack`. Projects outside the repository can install it. */
export interface PackedPackage {
  readonly tarball: string;
  readonly files: readonly string[];
  readonly unpackedBytes: number;
  /** The faults that publint and Are The Types Wrong find. */
  faults(): Promise<readonly unknown[]>;
  /** Makes a new project with this package and others installed. */
  install(...others: string[]): Promise<Project>;
  remove(): Promise<void>;
}

export interface Project {
  readonly folder: string;
  /** Writes TypeScript modules and compiles them with strict options. Resolves to the compiler's output. */
  compile(files: Readonly<Record<string, string>>, options?: object): Promise<string>;
  node(...args: string[]): Promise<string>;
}

/** Builds and packs the package in a folder of the repository. */
export async function pack(packageFolder: string): Promise<PackedPackage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-package-'));
  const { stdout } = await run('npm', ['pack', '--json', '--silent', '--pack-destination', folder], {
    cwd: path.join(repository, packageFolder),
  });
  // The build's own output comes before the JSON.
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [
    { filename: string; unpackedSize: number; files: { path: string }[] },
  ];
  const tarball = path.join(folder, packed.filename);
  let projects = 0;
  return {
    tarball,
    files: packed.files.map((file) => file.path),
    unpackedBytes: packed.unpackedSize,
    async faults() {
      const data = new Uint8Array(await readFile(tarball));
      const { messages, pkg } = await publint({ pack: { tarball: data.slice().buffer }, strict: true });
      const types = await checkPackage(createPackageFromTarballData(data));
      const problems: readonly object[] = 'problems' in types ? types.problems : [{ kind: 'no types' }];
      return [...messages.map((message) => formatMessage(message, pkg)), ...problems.filter(isOfEsModules)];
    },
    async install(...others) {
      projects += 1;
      const project = path.join(folder, `project-${String(projects)}`);
      await mkdir(project);
      await writeFile(path.join(project, 'package.json'), '{"private":true,"type":"module"}');
      const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
      await run('npm', ['install', ...flags, tarball, ...others], { cwd: project });
      return openProject(project);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The packages are only ES modules, so the resolutions of CommonJS do not apply. */
function isOfEsModules(problem: object): boolean {
  const { resolutionKind } = problem as { resolutionKind?: string };
  return resolutionKind !== 'node10' && resolutionKind !== 'node16-cjs';
}

function openProject(folder: string): Project {
  const node = async (...args: string[]) => (await run(process.execPath, args, { cwd: folder })).stdout;
  return {
    folder,
    node,
    async compile(files, options = {}) {
      for (const [name, code] of Object.entries(files)) await writeFile(path.join(folder, name), code);
      const compilerOptions = {
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        target: 'ES2022',
        lib: ['ES2023', 'DOM'],
        module: 'NodeNext',
        types: [],
        ...options,
      };
      const config = { compilerOptions, files: Object.keys(files) };
      await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
      try {
        return await node(path.join(repository, 'node_modules/typescript/bin/tsc'), '-p', '.');
      } catch (cause) {
        if (cause instanceof Error && 'stdout' in cause) return String(cause.stdout);
        throw cause;
      }
    },
  };
}
