import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-package-'));
  const tsc = [
    'node_modules/typescript/bin/tsc',
    '-p',
    'tsconfig.build.json',
    '--outDir',
    path.join(folder, 'dist'),
  ];
  execFileSync(process.execPath, tsc);
  writeFileSync(path.join(folder, 'package.json'), readFileSync('package.json'));
  symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a module of a user who has installed the package; what it prints as JSON comes back. */
function runAsUser(code: string): unknown {
  const args = ['--input-type=module', '--eval', code];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }));
}

describe('the package', () => {
  it('deploys its functions from an app of the user', () => {
    const types = runAsUser(`
      import { App, Stack } from 'aws-cdk-lib';
      import { Switchboard } from 'switchboard';
      const stack = new Stack(new App({ outdir: 'cdk.out' }), 'Mine');
      new Switchboard(stack, 'Switchboard', { allowedOrigins: ['https://app.example.com'] });
      const { template } = stack.node.root.synth().getStackByName('Mine');
      const types = Object.values(template.Resources).map((resource) => resource.Type);
      console.log(JSON.stringify(types.filter((type) => type === 'AWS::Lambda::Function')));
    `);
    expect(types).toHaveLength(7);
  });

  it('is clean to publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: folder, pack: 'npm', strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types that are right for whoever imports it as ES modules, which is all it is', async () => {
    const [tarball = ''] = execFileSync('npm', ['pack', '--ignore-scripts', '--silent'], {
      cwd: folder,
      encoding: 'utf8',
    }).split('\n');
    const data = readFileSync(path.join(folder, tarball));
    const result = await checkPackage(createPackageFromTarballData(new Uint8Array(data)));
    const problems = 'problems' in result ? result.problems : ['no types'];
    const isOfEsModules = (problem: unknown) => {
      const { resolutionKind } = Object(problem) as { resolutionKind?: string };
      return resolutionKind !== 'node10' && resolutionKind !== 'node16-cjs';
    };
    expect(problems.filter(isOfEsModules)).toEqual([]);
  });

  it.each([
    ['switchboard/protocol', 'readPublishRequest'],
    ['switchboard/local', 'startCloud'],
    ['switchboard/client', 'connect'],
  ])('gives %s to users', (entry, name) => {
    expect(
      runAsUser(`import { ${name} } from '${entry}'; console.log(JSON.stringify(typeof ${name}));`),
    ).toBe('function');
  });
});
