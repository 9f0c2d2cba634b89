import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { SwitchboardStack, type SwitchboardStackSettings } from '../../../lib/switchboard-stack.ts';
import type { CloudOptions } from '../../../local/index.ts';
import { startStack, type Stack } from '../stack.ts';

/** Seconds. Long enough that a busy machine reloads within it. */
export const graceSeconds = 3;

/** A stack with presence, and no limits of senders. */
export async function startPresenceStack(
  settings: SwitchboardStackSettings = {},
  options: Partial<CloudOptions> = {},
): Promise<Stack> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-presence-'));
  const app = new App({ outdir: folder, builtinCloudFormationValidation: false });
  const unlimited = { rateLimit: 1_000_000, burstLimit: 1_000_000 };
  new SwitchboardStack(app, 'Switchboard', {
    presence: true,
    presenceGraceSeconds: graceSeconds,
    connectionRate: unlimited,
    userRate: unlimited,
    listeners: path.join(import.meta.dirname, 'listeners.ts'),
    ...settings,
  });
  app.synth();
  const started = await startStack({ assembly: folder, ...options });
  return {
    ...started,
    async close() {
      await started.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
