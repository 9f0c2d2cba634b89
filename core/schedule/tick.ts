import type { Clock } from '../clock.ts';
import { scheduleAheadMs, scheduleLateAfterMs, scheduleTickMs } from '../timing.ts';
import type { ScheduleQueue } from './queue.ts';
import { type DueMessage, dueShards, type ScheduledMessages } from './rows.ts';

export interface TickOptions {
  readonly scheduled: Pick<ScheduledMessages, 'due' | 'queuedUntil' | 'moveQueuedUntil'>;
  readonly queue: Pick<ScheduleQueue, 'send'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Runs every minute. Hands the messages that are due soon to the queue, each with its delay. After a pause, such as a
 * laptop that was off, it begins where it ended. A message whose time has passed and that still has its row is handed
 * over again: the queue has lost it, or its turn has not come. A second copy delivers nothing.
 */
export function createTick({ scheduled, queue, clock }: TickOptions): () => Promise<void> {
  async function send(page: readonly DueMessage[]): Promise<void> {
    await queue.send(
      page.map((due) => ({ due, at: due.deliverAt })),
      clock.now(),
    );
  }

  async function sendNew(shard: number, from: number, until: number): Promise<void> {
    for await (const page of scheduled.due(shard, { from, until })) await send(page);
  }

  /** Only one page: the others are the newer ones, and may just be waiting for a worker. */
  async function sendLate(shard: number, until: number): Promise<void> {
    const { value: page } = await scheduled.due(shard, { from: 0, until }).next();
    if (page) await send(page);
  }

  return async () => {
    const now = clock.now();
    const until = now + scheduleAheadMs;
    const queuedUntil = await scheduled.queuedUntil();
    // Another tick has just run: EventBridge may send an event twice.
    if (until - queuedUntil < scheduleTickMs / 2) return;
    const lateUntil = Math.min(queuedUntil, now - scheduleLateAfterMs);
    const shards = Array.from({ length: dueShards }, (_, shard) => shard);
    await Promise.all(
      shards.map(async (shard) => {
        await sendNew(shard, queuedUntil, until);
        if (lateUntil > 0) await sendLate(shard, lateUntil);
      }),
    );
    await scheduled.moveQueuedUntil(until);
  };
}
