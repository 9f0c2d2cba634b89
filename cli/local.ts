import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod/mini';
import { CommandError } from './command-line.ts';

const localPackage = '@switchboard/local';
const manifest = z.object({ bin: z.object({ 'switchboard-local': z.string() }) });

/** Hands over to `switchboard-local`, which reads its flags from the command line. */
export async function local(args: readonly string[]): Promise<void> {
  const file = findManifest();
  const { bin } = z.parse(manifest, createRequire(import.meta.url)(file));
  const command = join(dirname(file), bin['switchboard-local']);
  if (!existsSync(command)) throw new CommandError(`${localPackage} is not built: npm run build`);
  process.argv = [...process.argv.slice(0, 2), ...args];
  await import(pathToFileURL(command).href);
}

function findManifest(): string {
  try {
    return createRequire(import.meta.url).resolve(`${localPackage}/package.json`);
  } catch (cause) {
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'MODULE_NOT_FOUND';
    if (!isAbsent) throw cause;
    throw new CommandError(`switchboard local needs a package: npm install ${localPackage}`, { cause });
  }
}
