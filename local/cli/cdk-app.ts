import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError, UsageError } from '../../cli/command-line.ts';
import { asRecord, asText, isRecord, parseJson } from '../json.ts';
import type { CdkApp } from '../watch/synthesis.ts';

/**
 * Reads how the CDK app of a folder is synthesised, from its cdk.json, as `cdk synth` does:
 * https://docs.aws.amazon.com/cdk/v2/guide/cli.html#cli-config. `undefined`: the folder has no cdk.json with an `app`.
 */
export function readCdkApp(folder: string, given: readonly string[] = []): CdkApp | undefined {
  const { app, output, context } = readJson(join(folder, 'cdk.json'));
  const command = asText(app);
  if (command === undefined || isFolder(join(folder, command))) return undefined;
  return {
    command,
    folder,
    context: {
      ...asRecord(context),
      ...readJson(join(folder, 'cdk.context.json')),
      ...Object.fromEntries(given.map(readContext)),
    },
    assembly: resolve(folder, asText(output) ?? 'cdk.out'),
  };
}

/** `name=value`, as the CDK's own `-c`. */
function readContext(given: string): readonly [string, string] {
  const at = given.indexOf('=');
  if (at < 1) throw new UsageError(`--context must be name=value, got ${JSON.stringify(given)}.`);
  return [given.slice(0, at), given.slice(at + 1)];
}

function readJson(file: string) {
  if (!existsSync(file)) return {};
  const parsed = parseJson(readFileSync(file, 'utf8'));
  if (parsed === undefined || !isRecord(parsed.value))
    throw new CommandError(`${file} is not a JSON object.`);
  return parsed.value;
}

/** `app` may also be the folder of an assembly. */
function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
