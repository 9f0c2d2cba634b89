import type { Logger } from '@aws-lambda-powertools/logger';
import { errorTable, Refusal } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { WaitingPublications } from '../publications/waiting.ts';
import type { Publish } from '../publish/publish.ts';
import { publisherLostAfterMs } from '../timing.ts';
import type { ScheduleQueue } from './queue.ts';
import { type DueMessage, idOf, readDue, type ScheduledMessages, type WaitingMessage } from './rows.ts';

export interface ScheduleWorkerOptions {
  readonly scheduled: Pick<ScheduledMessages, 'read' | 'removeAll' | 'forget'>;
  readonly waiting: Pick<WaitingPublications, 'fail'>;
  readonly queue: Pick<ScheduleQueue, 'send'>;
  /** Publishes under a claim on the record that waits (`claimWaiting`). */
  readonly publish: Publish;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'error'>;
}

/** A message of the queue, as it arrived. */
export interface ArrivedMessage {
  readonly body: string;
  readonly isLastAttempt: boolean;
}

/** A message that must be retried. `index` is its place in the batch. */
export interface FailedMessage {
  readonly index: number;
  readonly cause: unknown;
}

/** What became of a message: its rows can go, they must stay, or it fails and is retried. */
type End = 'done' | 'kept' | FailedMessage;

/**
 * Publishes the scheduled messages of a batch, side by side: each mostly waits. A message may come several times: the
 * claim on its record lets one of them publish. On its last attempt its publication is shown as failed. Rejects if the
 * whole batch must be retried.
 */
export function createScheduleWorker(options: ScheduleWorkerOptions) {
  const { scheduled, waiting, queue, publish, clock, logger } = options;

  async function workOn(due: DueMessage, message: WaitingMessage | undefined, isLastAttempt: boolean) {
    // It was delivered or cancelled. If the function was killed in between, its other row is still there.
    if (!message) return 'done';
    if (clock.now() < due.deliverAt) return handOver(due, due.deliverAt);
    try {
      await publish(message.request, message.from, message.form);
      return 'done';
    } catch (cause) {
      return settle(due, cause, isLastAttempt);
    }
  }

  async function handOver(due: DueMessage, at: number): Promise<'kept'> {
    await queue.send([{ due, at }], clock.now());
    return 'kept';
  }

  /** Called if the publish failed. Throws if it must be retried. */
  async function settle(due: DueMessage, cause: unknown, isLastAttempt: boolean): Promise<'done' | 'kept'> {
    const { code } = Refusal.of(cause);
    // Its publisher may still be about to write the record, for as long as its function runs.
    const recordUntil = due.deliverAt + publisherLostAfterMs;
    if (code === 'not_found' && clock.now() < recordUntil) return handOver(due, recordUntil);
    // No record: its publisher was never answered. A conflict: it was cancelled, or refused at the start.
    if (code === 'not_found' || code === 'conflict') return 'done';
    if (!errorTable[code].retryable) {
      logger.error('scheduled message was refused', { ...due, cause });
      await waiting.fail(due);
      return 'done';
    }
    // Not if another worker is at it. The request stays, so that the dead letter can be sent back to the queue.
    if (isLastAttempt && code !== 'rate_limited') {
      await waiting.fail(due);
      await scheduled.forget(due);
    }
    throw cause;
  }

  return async (batch: readonly ArrivedMessage[]): Promise<readonly FailedMessage[]> => {
    const failed: FailedMessage[] = [];
    const arrived = batch.flatMap(({ body, isLastAttempt }, index) => {
      try {
        return [{ due: readDue(body), isLastAttempt, index }];
      } catch (cause) {
        failed.push({ index, cause });
        return [];
      }
    });
    const messages = await scheduled.read(arrived.map(({ due }) => due));
    const ends = await Promise.all(
      arrived.map(async ({ due, isLastAttempt, index }): Promise<{ due: DueMessage; end: End }> => {
        try {
          return { due, end: await workOn(due, messages.get(idOf(due)), isLastAttempt) };
        } catch (cause) {
          return { due, end: { index, cause } };
        }
      }),
    );
    await scheduled.removeAll(ends.flatMap(({ due, end }) => (end === 'done' ? [due] : [])));
    return [...failed, ...ends.flatMap(({ end }) => (typeof end === 'object' ? [end] : []))];
  };
}

/** Delay before a failed message is retried. If another worker has it, the delay ends after that worker's function. */
export function retrySecondsAfter(cause: unknown, attempt: number): number {
  return Refusal.of(cause).code === 'rate_limited' ? publisherLostAfterMs / 1000 : attempt;
}
