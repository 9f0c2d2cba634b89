import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import type { Deliver } from '../delivery/deliver.ts';
import { payloadsOf } from '../delivery/payloads.ts';
import { type ShardProgress, ShardTaken } from '../publications/progress.ts';
import type { RecipientReports } from '../publications/report.ts';
import type { Recipients } from '../sessions/recipients.ts';
import { fanOutPageMs, fanOutTakenRetryMs } from '../timing.ts';
import { type FanOutJob, type FanOutQueue, readJob } from './queue.ts';
import { readShardAudience, type ShardAudience, type ShardPage } from './shard-audience.ts';

export interface FanOutWorkerOptions {
  readonly recipients: Recipients;
  readonly progress: ShardProgress;
  readonly reports: Pick<RecipientReports, 'add'>;
  readonly deliver: Deliver;
  readonly connections: Pick<ConnectionsClient, 'prepare'>;
  readonly queue: Pick<FanOutQueue, 'send'>;
  readonly clock: Pick<Clock, 'now' | 'newId'>;
  /** Recipients between two checkpoints. After a worker is killed, up to so many are sent again. @default 1000 */
  readonly pageSize?: number;
}

/** If a page of fewer recipients is all gone, they may all have left. With more, the endpoint is the likelier cause. */
const doubtedFrom = 20;

export function createFanOutWorker(options: FanOutWorkerOptions) {
  const { recipients, progress, reports, deliver, connections, queue, clock, pageSize = 1000 } = options;

  /**
   * Sends one shard of a publication, page by page, from its last checkpoint on. Shortly before `deadline` (epoch
   * milliseconds) the rest goes back to the queue as a new job. Throws if the job must be retried. A job that another
   * worker has is retried too, because that worker may be killed.
   */
  async function run(job: FanOutJob, deadline: number): Promise<void> {
    const before = await progress.read(job);
    if (before?.state === 'done') return;
    const audience = await readShardAudience(recipients, job);
    const attempt = { ...job, worker: clock.newId() };
    let row = before ?? (await progress.begin(attempt, await audience.estimate()));
    const payloads = payloadsOf(connections, job);
    let reading: Promise<ShardPage> | undefined = readAhead(audience, row.position);
    while (reading) {
      if (clock.now() + fanOutPageMs > deadline) {
        await queue.send([job]);
        return;
      }
      const page: ShardPage = await reading;
      // The next page is read while this one is sent.
      reading = page.next === undefined ? undefined : readAhead(audience, page.next);
      const delivery = await deliver(page.recipients, payloads, deadline);
      if (delivery.isEndpointDoubted && delivery.gone >= doubtedFrom) {
        throw new Error('Every connection of a page is gone: the callback endpoint is wrong.');
      }
      if (job.reportsRecipients) await reports.add(job, page.recipients, delivery.outcomes);
      row = await progress.advance(attempt, row, page.next, delivery);
    }
  }

  function readAhead(audience: ShardAudience, position: string | undefined): Promise<ShardPage> {
    const page = audience.page(position, pageSize);
    // `run` awaits the page and gets its error. If the job ends before that, the error is ignored.
    page.catch(() => undefined);
    return page;
  }

  /** Works on the job in a queue message. Throws if it must be retried. On its last attempt the report says `failed`. */
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

/** Delay before a failed job is retried. If another worker has it, the delay ends after that worker's function. */
export function retrySecondsAfter(cause: unknown, attempt: number): number {
  return cause instanceof ShardTaken ? fanOutTakenRetryMs / 1000 : attempt;
}
