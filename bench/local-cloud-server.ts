import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startCloud } from '../local/index.ts';
import { synthesise } from '../scripts/synthesise.ts';
import { announce } from './server-process.ts';

/** The laptop cloud on this repository's stack, as `npm start` runs it, without its log lines on a terminal. */
const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-bench-'));
await synthesise(folder);
const cloud = await startCloud({ assembly: folder, port: 0 });
announce(cloud.url, async () => {
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
});
