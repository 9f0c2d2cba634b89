import type { Logger } from '@aws-lambda-powertools/logger';
import { errorTable, Refusal } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { WaitingPublications } from '../publications/waiting.ts';
import type { Publish } from '../publish/publish.ts';
import { publisherLostAfterMs } from '../timing.ts';
import type { ScheduleQueue } from './queue.ts';
import { type DueMessage, readDue, type ScheduledMessages } from './rows.ts';

export interface ScheduleWorkerOptions {
  readonly scheduled: Pick<ScheduledMessages, 'read' | 'remove' | 'forget'>;
  readonly waiting: Pick<WaitingPublications, 'fail'>;
  readonly queue: Pick<ScheduleQueue, 'send'>;
  /** Publishes under a claim on the record that waits (`claimWaiting`). */
  readonly publish: Publish;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'error'>;
}

/**
 * Publishes one scheduled message. The same message may come several times: the claim on its record lets one of them
 * publish. Throws if it must be retried. On its last attempt the publication is shown as failed.
 */
export function createScheduleWorker(options: ScheduleWorkerOptions) {
  const { scheduled, waiting, queue, publish, clock, logger } = options;

  /** Called if the publish failed. Resolves if nothing is left to be done with the message. */
  async function settle(due: DueMessage, cause: unknown, isLastAttempt: boolean): Promise<void> {
    const code = Refusal.of(cause).code;
    // Its publisher may still be about to write the record, for as long as its function runs.
    const recordUntil = due.deliverAt + publisherLostAfterMs;
    if (code === 'not_found' && clock.now() < recordUntil) {
      await queue.send([{ due, at: recordUntil }], clock.now());
      return;
    }
    // No record: its publisher was never answered. A conflict: it was cancelled, or refused at the start.
    if (code === 'not_found' || code === 'conflict') {
      await scheduled.remove(due);
      return;
    }
    if (!errorTable[code].retryable) {
      logger.error('scheduled message was refused', { ...due, cause });
      await waiting.fail(due);
      await scheduled.remove(due);
      return;
    }
    // Not if another worker is at it. The request stays, so that the dead letter can be sent back to the queue.
    if (isLastAttempt && code !== 'rate_limited') {
      await waiting.fail(due);
      await scheduled.forget(due);
    }
    throw cause;
  }

  return async (body: string, isLastAttempt: boolean): Promise<void> => {
    const due = readDue(body);
    if (clock.now() < due.deliverAt) {
      await queue.send([{ due, at: due.deliverAt }], clock.now());
      return;
    }
    const message = await scheduled.read(due);
    if (!message) return;
    try {
      await publish(message.request, message.from);
    } catch (cause) {
      await settle(due, cause, isLastAttempt);
      return;
    }
    await scheduled.remove(due);
  };
}

/** Delay before a failed message is retried. If another worker has it, the delay ends after that worker's function. */
export function retrySecondsAfter(cause: unknown, attempt: number): number {
  return Refusal.of(cause).code === 'rate_limited' ? publisherLostAfterMs / 1000 : attempt;
}
