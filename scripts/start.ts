import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type FaultSettings, FaultSettingsError, parseFaults } from '../local/faults/settings.ts';
import type { Cloud } from '../local/index.ts';
import { readFlags, readWholeNumber, run, UsageError } from './command-line.ts';
import { synthesise } from './synthesise.ts';

const usage = `npm start -- [--port 8080] [--data DIR] [--faults LIST] [--clock-speed N]

Runs the stack on this machine, from the template that "npx cdk deploy" deploys. Ctrl-C stops it.

  --port N          the port of all APIs, on 127.0.0.1; 0 picks a free one (default 8080)
  --data DIR        keeps the tables in this folder (default: in memory, until the process ends)
  --faults LIST     injects faults: all, or a list such as throttled=0.05,cutAfterMs=5000,seed=7
  --clock-speed N   runs the limits of the platform N times faster: at 3600, two hours take two seconds`;

await run(async () => {
  const flags = readFlags(usage, {
    port: { type: 'string', default: '8080' },
    data: { type: 'string' },
    faults: { type: 'string' },
    'clock-speed': { type: 'string', default: '1' },
  });
  const port = readWholeNumber('port', flags.port, 0, 65535);
  if (flags.data === '') throw new UsageError('--data needs a folder.');
  const data = flags.data === undefined ? {} : { dataDir: path.resolve(flags.data) };
  const clockSpeed = readSpeed(flags['clock-speed']);
  const faults = readFaults(flags.faults);
  const stop = stopSignal();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-'));
  try {
    const assembly = path.join(folder, 'cdk.out');
    const site = path.join(folder, 'site');
    console.log('Synthesising the stack …');
    // Synthesis takes longest, so everything else loads beside it.
    const [{ startCloud, isStartError }] = await Promise.all([
      import('../local/index.ts'),
      synthesise(assembly, { signal: stop }),
      import('./build-site.ts').then(({ buildSite }) => buildSite(site)),
    ]);
    const options = { assembly, port, site, clockSpeed, faults, onLog: console.log, ...data };
    const cloud = await startCloud(options).catch((cause: unknown) => {
      if (isStartError(cause)) throw new UsageError(cause.message, { cause });
      if (data.dataDir === undefined) throw cause;
      const why = 'check that it is a folder, that it is writable, and that no other instance uses it.';
      throw new UsageError(`--data ${data.dataDir} does not work: ${why}`, { cause });
    });
    console.log(await welcome(cloud));
    await new Promise((resolve) => {
      if (stop.aborted) resolve(undefined);
      stop.addEventListener('abort', resolve);
    });
    await cloud.close();
  } catch (cause) {
    if (!stop.aborted) throw cause;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  process.exit(0);
});

function readSpeed(text: string): number {
  const speed = Number(text);
  if (speed >= 0.001 && speed <= 1_000_000) return speed;
  throw new UsageError(`--clock-speed must be from 0.001 to 1000000, got ${JSON.stringify(text)}.`);
}

function readFaults(text: string | undefined): Partial<FaultSettings> {
  try {
    return text === undefined ? {} : parseFaults(text);
  } catch (cause) {
    if (!(cause instanceof FaultSettingsError)) throw cause;
    throw new UsageError(`--faults ${cause.message}.`, { cause });
  }
}

/** Aborts on Ctrl-C, SIGTERM and SIGHUP. A second signal ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
  return controller.signal;
}

async function welcome({ url, port, deployment }: Cloud): Promise<string> {
  const { signToken } = await import('./sign-token.ts');
  const day = 24 * 60 * 60;
  const token = (user: string) =>
    signToken({ user, type: 'member', tenant: 'default', topics: ['*'], ttlSeconds: day });
  const endpoint = port === 8080 ? '' : ` --endpoint ${url}/publish`;
  const outputs = [...deployment.outputs].map(([name, value]) => `  ${name.padEnd(20)} ${value}`);
  return `
Switchboard is ready at ${url}/

${outputs.join('\n')}

Two tokens, valid for a day (more: npm run token -- --help):
  member 42  ${await token('42')}
  member 43  ${await token('43')}

Open ${url}/ with one of them, then publish to it:
  npm run publish -- --to user:member:42 --type notice-push --content '{"title":"hi"}'${endpoint}

Ctrl-C stops it. One line per request:
`;
}
