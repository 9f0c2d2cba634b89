import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startCloud } from '../local/index.ts';
import { announce } from './server-process.ts';
import { synthesise } from './synthesise.ts';

// A laptop cloud like that of `npm start`, but without log lines, which would cost the benches and the soak time.
// The arguments are settings of the stack as JSON, and the secret that signs tokens.
const [, , settings = '{}', secret = ''] = process.argv;
const context = JSON.parse(settings) as Record<string, unknown>;
const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-cloud-'));
await synthesise(folder, { context });
const cloud = await startCloud({ assembly: folder, port: 0, secret });
announce(cloud.url, async () => {
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
});
