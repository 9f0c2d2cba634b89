import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { UsageError } from './command-line.ts';

/** Synthesises the CDK app into a folder; what the app says of a wrong setting is passed on as it is. */
export async function synthesise(folder: string, signal?: AbortSignal): Promise<void> {
  const app = spawn(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
    env: { ...process.env, CDK_OUTDIR: folder },
    stdio: ['ignore', 'inherit', 'pipe'],
    ...(signal && { signal }),
  });
  const [complaint, [code]] = await Promise.all([
    text(app.stderr),
    once(app, 'exit') as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new UsageError(complaint.trim());
}
