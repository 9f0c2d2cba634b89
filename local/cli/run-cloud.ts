import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError, readWholeNumber, UsageError } from '../../cli/command-line.ts';
import { type FaultSettings, FaultSettingsError, parseFaults } from '../faults/settings.ts';
import type { Cloud, CloudOptions } from '../index.ts';
import type { CdkApp } from '../watch/synthesis.ts';

/** The flags of the commands that run a cloud. */
export const cloudFlags = {
  port: { type: 'string', default: '8080' },
  stack: { type: 'string', multiple: true },
  parameter: { type: 'string', multiple: true },
  strict: { type: 'boolean', default: false },
  data: { type: 'string' },
  faults: { type: 'string' },
  'clock-speed': { type: 'string', default: '1' },
  watch: { type: 'boolean', default: false },
} as const;

export const cloudFlagsHelp = `  --port N          the port of all APIs, on 127.0.0.1; 0 picks a free one (default 8080)
  --stack NAME      runs this stack alone; may be repeated (default: all stacks of the app)
  --parameter N=V   the value of a template's parameter; may be repeated (default: its default)
  --strict          refuses a resource of a type that does not run here
  --data DIR        keeps the tables in this folder (default: in memory, gone with the process)
  --faults LIST     faults to inject: all, or a list such as throttled=0.05,cutAfterMs=5000,seed=7
  --clock-speed N   how many times faster the platform's limits run: at 3600, two hours take two seconds
  --watch           runs each saved change of the app at once; connections stay open`;

type Flags = Readonly<Record<'port' | 'clock-speed', string>> &
  Readonly<Partial<Record<'data' | 'faults', string | undefined>>> &
  Readonly<Partial<Record<'stack' | 'parameter', string[] | undefined>>> & { readonly strict: boolean };

export function readCloudFlags(flags: Flags) {
  const port = readWholeNumber('port', flags.port, 0, 65535);
  if (flags.data === '') throw new UsageError('--data needs a folder.');
  const clockSpeed = readSpeed(flags['clock-speed']);
  const faults = readFaults(flags.faults);
  return {
    port,
    clockSpeed,
    faults,
    strict: flags.strict,
    stacks: flags.stack ?? [],
    parameters: Object.fromEntries((flags.parameter ?? []).map(readParameter)),
    ...(flags.data !== undefined && { dataDir: resolve(flags.data) }),
  };
}

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
  // Watches before the start: a file that is saved meanwhile counts.
  const live = watched && (await watchApp(watched));
  try {
    const cloud = await start(options);
    try {
      console.log(await welcome(cloud));
      if (live) await live.keep(cloud, stop);
      else await aborted(stop);
    } finally {
      await cloud.close();
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

function readSpeed(text: string): number {
  const speed = Number(text);
  if (speed >= 0.001 && speed <= 1_000_000) return speed;
  throw new UsageError(`--clock-speed must be from 0.001 to 1000000, got ${JSON.stringify(text)}.`);
}

function readParameter(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(`--parameter must be NAME=VALUE, got ${JSON.stringify(text)}.`);
}

function readFaults(text: string | undefined): Partial<FaultSettings> {
  try {
    return text === undefined ? {} : parseFaults(text);
  } catch (cause) {
    if (!(cause instanceof FaultSettingsError)) throw cause;
    throw new UsageError(`--faults ${cause.message}.`, { cause });
  }
}
