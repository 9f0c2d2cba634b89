import { CommandError } from '../cli/command-line.ts';
import { readCdkApp } from '../local/cli/cdk-app.ts';
import { synthesise as synthesiseApp } from '../local/cli/run-cloud.ts';
import type { CdkApp } from '../local/watch/synthesis.ts';

/** The CDK app of this repository. `context` goes before the settings of cdk.json. */
export function ownApp(assembly: string, context: Readonly<Record<string, unknown>> = {}): CdkApp {
  const app = readCdkApp('.');
  if (app === undefined) throw new CommandError('cdk.json names no app.');
  return { ...app, assembly, context: { ...app.context, ...context } };
}

/** Synthesises the app into a folder. If it fails, for example on a wrong setting, its own message becomes the error. */
export async function synthesise(
  folder: string,
  options: { readonly signal?: AbortSignal; readonly context?: Readonly<Record<string, unknown>> } = {},
): Promise<void> {
  await synthesiseApp(ownApp(folder, options.context), options.signal ?? new AbortController().signal);
}
