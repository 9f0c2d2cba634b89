import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../../cli/command-line.ts';
import type { Cloud, CloudOptions } from '../index.ts';
import type { CdkApp } from '../watch/synthesis.ts';
import { shareSecret } from './shared-secret.ts';

/** The outputs of the stacks, one per line, and what does not run here. */
export function describeStacks({
  deployment: { outputs, inert },
}: Pick<Cloud, 'deployment'>): readonly string[] {
  const width = Math.max(20, ...[...outputs.keys()].map((name) => name.length));
  const lines = [...outputs].map(([name, value]) => `  ${name.padEnd(width)} ${value}`);
  if (inert.size === 0) return lines;
  const types = [...inert].map(([type, count]) => `${type} ×${String(count)}`);
  return [...lines, '', `Not run here (calls to them fail): ${types.join(', ')}`];
}

export interface RunOptions {
  readonly cloud: CloudOptions;
  readonly stop: AbortSignal;
  /** What is printed once the cloud runs. */
  readonly welcome: (cloud: Cloud) => string | Promise<string>;
  /** Reads the app whose saved changes run at once. @default - the assembly runs as it is */
  readonly watched?: (() => CdkApp) | undefined;
}

/** Starts a cloud, and closes it once `stop` aborts. */
export async function runUntilStopped({ cloud: options, stop, welcome, watched }: RunOptions): Promise<void> {
  // The files of the database are for this user alone. It makes new ones all the time, with the rights that this leaves.
  if (options.dataDir !== undefined) process.umask(0o077);
  // Watches before the start: a file that is saved meanwhile counts.
  const live = watched && (await watchApp(watched));
  try {
    const shared = await shareSecret();
    try {
      const cloud = await start({ ...options, secret: shared.secret });
      try {
        console.log(await welcome(cloud));
        if (live) await live.keep(cloud, stop);
        else await aborted(stop);
      } finally {
        await cloud.close();
      }
    } finally {
      await shared.release();
    }
  } finally {
    await live?.close();
  }
}

/** Synthesises an app once. */
export async function synthesise(app: CdkApp, stop: AbortSignal): Promise<void> {
  const { startSynthesis } = await import('../watch/synthesis.ts');
  const synthesis = startSynthesis(app);
  const end = (): void => {
    synthesis.end();
  };
  stop.addEventListener('abort', end);
  const result = await synthesis.result;
  stop.removeEventListener('abort', end);
  if (!result.ok) throw new CommandError(result.complaint);
  if (!existsSync(join(app.assembly, 'manifest.json')))
    throw new CommandError(
      `${app.command} wrote no assembly to ${app.assembly}. Does the app set an outdir?`,
    );
}

async function watchApp(readApp: () => CdkApp) {
  const [{ createStandby }, { keepLive }, { watchSources }] = await Promise.all([
    import('../watch/standby.ts'),
    import('../watch/live.ts'),
    import('../watch/source-watcher.ts'),
  ]);
  const { folder, assembly } = readApp();
  const standby = await createStandby(readApp);
  const sources = watchSources(folder, [assembly]);
  await sources.ready;
  return {
    keep: (cloud: Cloud, stop: AbortSignal) =>
      keepLive({ cloud, standby, sources, assembly, stop, log: console.log }),
    async close() {
      await standby.close();
      await sources.close();
    },
  };
}

async function aborted(stop: AbortSignal): Promise<void> {
  await new Promise((done) => {
    if (stop.aborted) done(undefined);
    stop.addEventListener('abort', done);
  });
}

/** Aborts on Ctrl-C and on a polite kill. A second Ctrl-C ends the process at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
  return controller.signal;
}

async function start(options: CloudOptions): Promise<Cloud> {
  // Loaded only now: `npm start` synthesises meanwhile, and --help needs none of it.
  const { startCloud, isStartError } = await import('../index.ts');
  try {
    return await startCloud(options);
  } catch (cause) {
    if (isStartError(cause)) throw new CommandError(cause.message, { cause });
    if (options.dataDir === undefined) throw cause;
    const why = 'Is it a writable folder, and used by no other instance?';
    throw new CommandError(`--data ${options.dataDir} cannot be used. ${why}`, { cause });
  }
}
