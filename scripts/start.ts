import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CommandError, readFlags, run, UsageError } from '../cli/command-line.ts';
import { cloudFlags, cloudFlagsHelp, readCloudFlags } from '../local/cli/cloud-flags.ts';
import { describeStacks, runUntilStopped, stopSignal, synthesise } from '../local/cli/run-cloud.ts';
import type { Cloud } from '../local/index.ts';
import { ownApp } from './synthesise.ts';

const usage = `npm start -- [--port 8080] [--watch] [--stack NAME] [--parameter NAME=VALUE] [--strict]
  [--data DIR] [--allow-origin ORIGIN] [--faults LIST] [--clock-speed N]

Runs the stack on this machine, from the template that "npx cdk deploy" deploys. Ctrl-C stops it.

${cloudFlagsHelp}`;

await run(async () => {
  const options = readOptions();
  const stop = stopSignal();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-'));
  try {
    const readApp = () => ownApp(path.join(folder, 'cdk.out'), { examples: true, scheduledPublishes: true });
    const app = readApp();
    const { assembly } = app;
    const site = path.join(folder, 'site');
    console.log('Synthesising the stack …');
    // The synthesis takes the longest, so the other parts load meanwhile.
    await Promise.all([
      import('../local/index.ts'),
      synthesise(app, stop),
      import('./build-site.ts').then(({ buildSite }) => buildSite(site)),
    ]);
    await runUntilStopped({
      cloud: { ...options.cloud, assembly, site, onLog: console.log },
      stop,
      welcome,
      watched: options.watch ? readApp : undefined,
    });
  } catch (cause) {
    if (!stop.aborted) throw cause;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  process.exit(0);
});

/** `npm start` ends with code 1 for every mistake, even for a wrong flag. */
function readOptions() {
  try {
    const flags = readFlags(usage, cloudFlags);
    return { cloud: readCloudFlags(flags), watch: flags.watch };
  } catch (cause) {
    throw cause instanceof UsageError ? new CommandError(cause.message, { cause }) : cause;
  }
}

async function welcome(cloud: Cloud): Promise<string> {
  const { url, port, secret } = cloud;
  const { signToken } = await import('../cli/sign-token.ts');
  const day = 24 * 60 * 60;
  const token = (user: string) =>
    signToken(secret, { user, type: 'member', tenant: 'default', topics: ['*'], ttlSeconds: day });
  const endpoint = port === 8080 ? '' : ` --endpoint ${url}/publish`;
  return `
Switchboard is ready at ${url}/

${describeStacks(cloud).join('\n')}

Two tokens, valid for a day at most (more: npm run token -- --help):
  member 42  ${await token('42')}
  member 43  ${await token('43')}

Open ${url}/ with one of them, then publish to it:
  npm run publish -- --to user:member:42 --type notice-push --content '{"title":"hi"}'${endpoint}

Ctrl-C stops it. One line per request:
`;
}
