import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

/** A bundle in the form of a Lambda function: minified CommonJS that includes the SDK. */
export interface Bundle {
  readonly file: string;
  readonly bytes: number;
}

const folder = mkdtempSync(join(tmpdir(), 'switchboard-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** @param entry a file in this folder. */
export async function bundle(entry: string): Promise<Bundle> {
  const outfile = join(folder, `${entry}.cjs`);
  const { metafile } = await build({
    entryPoints: [join(import.meta.dirname, entry)],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    metafile: true,
  });
  const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  return { file: outfile, bytes };
}

/** Runs a bundle in its own process and parses the JSON that it prints. Pins it to one core if the system can. */
export async function run(
  file: string,
  argument: object,
  nodeFlags: readonly string[] = [],
): Promise<unknown> {
  const command = [process.execPath, ...nodeFlags, file, JSON.stringify(argument)];
  const taskset = '/usr/bin/taskset';
  const pinned = existsSync(taskset)
    ? [taskset, '-c', String(availableParallelism() - 1), ...command]
    : command;
  const [program = '', ...rest] = pinned;
  const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  const { stdout } = await promisify(execFile)(program, rest, { env });
  return JSON.parse(stdout);
}
