import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { announce } from '../bench/server-process.ts';
import { startCloud } from '../local/index.ts';
import { synthesise } from '../scripts/synthesise.ts';

/** The stack of this repository, with so small a limit that a publish to everyone goes through the fan-out. */
const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-soak-'));
await synthesise(folder, { context: { inlineLimit: 10, shards: 2 } });
const cloud = await startCloud({ assembly: folder, port: 0 });
announce(cloud.url, async () => {
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
});
