import { type ChildProcess, fork } from 'node:child_process';
import type { Place } from './fan-out-parts.ts';
import type { FromWorker } from './fan-out-worker.ts';

export interface Workers {
  /** Resolves when all jobs are done. `killed` counts the workers that died during a job. */
  run(bodies: readonly string[]): Promise<{ readonly killed: number }>;
  close(): void;
}

/**
 * Starts the worker's environments, and a queue that repeats the job of a killed worker at once. With `kills`, the
 * worker of every third job is killed before the job ends.
 */
export async function startWorkers(
  place: Place,
  count: number,
  rate: number,
  kills: boolean,
): Promise<Workers> {
  const start = async (): Promise<ChildProcess> => {
    const worker = fork(
      new URL('./fan-out-worker.ts', import.meta.url),
      [JSON.stringify({ ...place, rate: rate / count })],
      {
        execArgv: ['--import', 'tsx'],
      },
    );
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    return worker;
  };
  const workers = await Promise.all(Array.from({ length: count }, start));
  let begun = 0;
  let killed = 0;

  /** Resolves to a live worker and to the jobs that return to the queue. */
  async function work(worker: ChildProcess, body: string): Promise<{ worker: ChildProcess; back: string[] }> {
    begun += 1;
    const isKilled = kills && begun % 3 === 0;
    const back: string[] = [];
    const isDone = new Promise<boolean>((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if ('handedBack' in message) back.push(message.handedBack);
        if ('done' in message) resolve(true);
      });
      worker.once('exit', () => resolve(false));
      worker.once('error', reject);
    });
    const timer = isKilled ? setTimeout(() => worker.kill('SIGKILL'), 200 + Math.random() * 800) : undefined;
    worker.send(body);
    const hasEnded = await isDone;
    clearTimeout(timer);
    worker.removeAllListeners();
    if (hasEnded) return { worker, back };
    killed += 1;
    return { worker: await start(), back: [body] };
  }

  return {
    async run(bodies) {
      killed = 0;
      const waiting = [...bodies];
      await Promise.all(
        workers.map(async (_, slot) => {
          for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) {
            const worker = workers[slot];
            if (!worker) throw new Error(`There is no worker ${slot}.`);
            const ended = await work(worker, body);
            workers[slot] = ended.worker;
            waiting.push(...ended.back);
          }
        }),
      );
      return { killed };
    },
    close() {
      for (const worker of workers) worker.disconnect();
    },
  };
}
