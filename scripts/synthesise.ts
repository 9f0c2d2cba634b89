import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { CommandError } from '../cli/command-line.ts';

/**
 * Synthesises the CDK app into a folder, with the settings of cdk.json or of `context`. If the app fails, for example on
 * a wrong setting, its own message becomes the error.
 */
export async function synthesise(
  folder: string,
  {
    signal,
    context,
  }: { readonly signal?: AbortSignal; readonly context?: Readonly<Record<string, unknown>> } = {},
): Promise<void> {
  const app = spawn(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
    env: {
      ...process.env,
      CDK_OUTDIR: folder,
      ...(context && { CDK_CONTEXT_JSON: JSON.stringify(context) }),
    },
    stdio: ['ignore', 'inherit', 'pipe'],
    ...(signal && { signal }),
  });
  const [complaint, [code]] = await Promise.all([
    text(app.stderr),
    once(app, 'exit') as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new CommandError(complaint.trim());
}
