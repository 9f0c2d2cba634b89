import { randomUUID } from 'node:crypto';
import { createFanOutWorker } from '../core/fan-out/worker.ts';
import type { FanOutJob } from '../core/fan-out/queue.ts';
import { formatTarget } from '../protocol/index.ts';
import { buildParts, type Place } from './fan-out-parts.ts';

export type FromWorker = { readonly ready: true } | { readonly done: true } | { readonly handedBack: string };

// One environment of the worker function: one job at a time, its share of the rate, 29 s for a job.
const { rate, ...place } = JSON.parse(process.argv[2] ?? '') as Place & { rate: number };
const functionTimeMs = 29_000;

const tell = (message: FromWorker) => process.send?.(message);
const queue = {
  send(jobs: readonly FanOutJob[]) {
    for (const job of jobs) tell({ handedBack: JSON.stringify({ ...job, to: job.to.map(formatTarget) }) });
    return Promise.resolve();
  },
};
const work = createFanOutWorker({ ...buildParts(place, rate), queue, newId: randomUUID });

process.on('message', (body: string) => {
  void work(body, Date.now() + functionTimeMs, false).then(() => tell({ done: true }));
});
process.on('disconnect', () => process.exit());
tell({ ready: true });
