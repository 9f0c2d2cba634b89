import type { Deliver } from '../delivery/deliver.ts';
import { type FanOutJob, type FanOutQueue, readJob } from './queue.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import type { RecipientReports } from '../publications/report.ts';
import type { Recipients } from '../sessions/recipients.ts';
import { readShardAudience, type ShardAudience, type ShardPage } from './shard-audience.ts';
import { type ShardProgress, ShardTaken } from '../publications/progress.ts';

export interface FanOutWorkerOptions {
  readonly recipients: Recipients;
  readonly progress: ShardProgress;
  readonly reports: RecipientReports;
  readonly deliver: Deliver;
  readonly connections: Pick<ConnectionsClient, 'prepare'>;
  readonly queue: Pick<FanOutQueue, 'send'>;
  readonly newId: () => string;
  readonly now: () => number;
  /** Recipients between two checkpoints: what a worker that is killed sends a second time. @default 1000 */
  readonly pageSize?: number;
}

export type FanOutWorker = ReturnType<typeof createFanOutWorker>;

// A page takes about a second at the usual pace, and a few more with every retry. Less time than this starts none.
const pageTimeMs = 8_000;

/** A little more than a function runs for. */
const functionTimeSeconds = 30;

/** Fewer recipients than this may all have left; more, and the endpoint is the likelier culprit. */
const doubtedFrom = 20;

export function createFanOutWorker(options: FanOutWorkerOptions) {
  const { recipients, progress, reports, deliver, connections, queue, newId, now, pageSize = 1000 } = options;

  /**
   * Sends one shard of a publication, page by page, from its last checkpoint on. What is not done a little before
   * `deadline` (epoch milliseconds) goes back to the queue as a job of its own. Throws where the job must come again:
   * also where another worker has it too, for that one may yet be killed.
   */
  async function run(job: FanOutJob, deadline: number): Promise<void> {
    const before = await progress.read(job);
    if (before?.state === 'done') return;
    const audience = await readShardAudience(recipients, job);
    const attempt = { ...job, worker: newId() };
    let row = before ?? (await progress.begin(attempt, await audience.estimate()));
    const payload = connections.prepare(job.frame);
    let reading: Promise<ShardPage> | undefined = readAhead(audience, row.position);
    while (reading) {
      if (now() + pageTimeMs > deadline) {
        await queue.send([job]);
        return;
      }
      const page: ShardPage = await reading;
      // The next page is read while this one is sent.
      reading = page.next === undefined ? undefined : readAhead(audience, page.next);
      const delivery = await deliver(page.recipients, payload, deadline);
      if (delivery.isEndpointDoubted && delivery.gone >= doubtedFrom) {
        throw new Error('Every connection of a page is gone: the callback endpoint is wrong.');
      }
      if (job.reportsRecipients) await reports.add(job, page.recipients, delivery);
      row = await progress.advance(attempt, row, page.next, delivery);
    }
  }

  function readAhead(audience: ShardAudience, position: string | undefined): Promise<ShardPage> {
    const page = audience.page(position, pageSize);
    // Its failure is the job's once it is awaited, and nobody's where the job ends before.
    page.catch(() => undefined);
    return page;
  }

  /** Works on the job in a queue message. Throws where it must come again; on its last attempt the report says so. */
  return async (body: string, deadline: number, isLastAttempt: boolean): Promise<void> => {
    const job = readJob(body);
    try {
      await run(job, deadline);
    } catch (cause) {
      if (isLastAttempt && !(cause instanceof ShardTaken)) await progress.fail(job);
      throw cause;
    }
  };
}

/** When a job that failed is to come again: where another worker has it, once that has ended, by success or death. */
export function retrySecondsAfter(cause: unknown, attempt: number): number {
  return cause instanceof ShardTaken ? functionTimeSeconds : attempt;
}
