import { createFanOutWorker } from '../core/fan-out/worker.ts';
import type { FanOutJob } from '../core/fan-out/queue.ts';
import { functionTimeoutMs } from '../core/timing.ts';
import { formatTarget } from '../protocol/index.ts';
import { buildParts, type Place } from './fan-out-parts.ts';

export type FromWorker = { readonly ready: true } | { readonly done: true } | { readonly handedBack: string };

// One environment of the worker function. It does one job at a time, at its share of the rate.
const { rate, ...place } = JSON.parse(process.argv[2] ?? '') as Place & { rate: number };

const tell = (message: FromWorker) => process.send?.(message);
const queue = {
  send(jobs: readonly FanOutJob[]) {
    for (const job of jobs) tell({ handedBack: JSON.stringify({ ...job, to: job.to.map(formatTarget) }) });
    return Promise.resolve();
  },
};
const work = createFanOutWorker({ ...buildParts(place, rate), queue });

process.on('message', (body: string) => {
  void work(body, Date.now() + functionTimeoutMs, false).then(() => tell({ done: true }));
});
process.on('disconnect', () => process.exit());
tell({ ready: true });
