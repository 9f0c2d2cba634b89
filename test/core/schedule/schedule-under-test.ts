import { expect } from 'vitest';
import { createPublish } from '../../../core/publish/publish.ts';
import { createCancel } from '../../../core/schedule/cancel.ts';
import type { DelayedMessage } from '../../../core/schedule/queue.ts';
import { createSchedule, withSchedule } from '../../../core/schedule/schedule.ts';
import { createTick } from '../../../core/schedule/tick.ts';
import { createScheduleWorker } from '../../../core/schedule/worker.ts';
import { type PublishRequest, readPublishRequest } from '../../../protocol/index.ts';
import type { Core } from '../core-under-test.ts';

export const messageId = '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11';

/** The parts of scheduling on one core. What the queue was handed waits in `queued`, until a test works on it. */
export function scheduleOn(core: Core) {
  const queued: DelayedMessage[] = [];
  const queue = {
    send(messages: readonly DelayedMessage[]) {
      queued.push(...messages);
      return Promise.resolve();
    },
  };
  const schedule = createSchedule({ ...core, queue });
  const { publications } = core;
  const publish = createPublish({
    ...core,
    publications: { ...publications, claim: (id, hash) => publications.claimWaiting(id, hash) },
  });
  const work = createScheduleWorker({ ...core, queue, publish });
  return {
    queued,
    publish: withSchedule(core.publish, schedule),
    tick: createTick({ ...core, queue }),
    cancel: createCancel(core),
    /** The worker gets a message of the queue. Rejects if the message must be retried. */
    work: async (message: DelayedMessage, isLastAttempt = false): Promise<void> => {
      const [failure] = await work([{ body: JSON.stringify(message.due), isLastAttempt }]);
      if (failure) throw failure.cause;
    },
    /** The worker gets all that waits in the queue. */
    workAll: async (): Promise<void> => {
      const batch = queued.splice(0).map(({ due }) => ({ body: JSON.stringify(due), isLastAttempt: false }));
      expect(await work(batch)).toEqual([]);
    },
    /** Whether the request of a message is kept. */
    isKept: async ({ due }: DelayedMessage) => (await core.scheduled.read([due])).size === 1,
    status: async () => (await core.publications.get({ tenant: 'default', messageId }))?.status,
  };
}

/** A notice to `default/member/1`. A test may override any field. */
export function noticeAt(deliverAt: number, differing: Record<string, unknown> = {}): PublishRequest {
  const body = { to: 'user:member:1', type: 'notice-push', content: { title: 'hi' }, messageId, deliverAt };
  return readPublishRequest({ ...body, ...differing });
}
