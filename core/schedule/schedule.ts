import {
  type Identity,
  maxScheduleMs,
  type PublishRequest,
  Refusal,
  type Scheduled,
} from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { hashOf } from '../publications/publications.ts';
import type { Scheduling, WaitingPublications } from '../publications/waiting.ts';
import { durabilityOf } from '../publish/durability.ts';
import { refuseTooLarge } from '../publish/message.ts';
import type { Publish } from '../publish/publish.ts';
import { schedulePublisherAheadMs } from '../timing.ts';
import type { ScheduleQueue } from './queue.ts';
import type { ScheduledMessages } from './rows.ts';

export interface ScheduleOptions {
  readonly scheduled: Pick<ScheduledMessages, 'put'>;
  readonly waiting: Pick<WaitingPublications, 'schedule' | 'find'>;
  readonly queue: Pick<ScheduleQueue, 'send'>;
  readonly durableTopics: readonly string[];
  readonly clock: Pick<Clock, 'now' | 'newId'>;
}

/** Accepts a publish for a later time. Throws a `Refusal` if it cannot. */
export type Schedule = (
  request: PublishRequest,
  deliverAt: number,
  from?: Identity,
  form?: 'text',
) => Promise<Scheduled>;

export function createSchedule(options: ScheduleOptions): Schedule {
  const { scheduled, waiting, queue, durableTopics, clock } = options;

  return async (given, deliverAt, from, form) => {
    const messageId = given.messageId ?? clock.newId();
    const request = { ...given, messageId };
    const sender = from && { tenant: from.tenant, userType: from.userType, userId: from.userId };
    refuseTooLarge({ request, messageId, from: sender, durability: durabilityOf(request, durableTopics) });

    const id = { tenant: request.tenant, messageId };
    const hash = hashOf(request);
    const answer = { messageId, status: 'scheduled', deliverAt } as const;
    const aheadMs = deliverAt - clock.now();
    if (aheadMs <= 0 || aheadMs > maxScheduleMs) {
      // The same request again, after its time.
      const known = given.messageId === undefined ? undefined : await waiting.find(id, hash);
      if (!known)
        throw Refusal.at('bad_request', 'deliverAt', 'must be after now, and at most 366 days ahead');
      refuseUnlessOurs(known, messageId);
      return answer;
    }

    const due = { ...id, deliverAt, hash };
    // The record comes last: with it the message exists, and from then on it is not lost.
    await scheduled.put(due, { request, from: sender, form });
    refuseUnlessOurs(await waiting.schedule(id, hash, deliverAt), messageId);
    // The tick may have passed this time before the rows were written.
    if (deliverAt - clock.now() < schedulePublisherAheadMs)
      await queue.send([{ due, at: deliverAt }], clock.now());
    return answer;
  };
}

/** Publishes now, or at the time that the request names. `schedule` is `undefined` if the stack does not offer it. */
export function withSchedule(publish: Publish, schedule: Schedule | undefined): Publish {
  return async (request, from, form) => {
    const { deliverAt } = request;
    if (deliverAt === undefined) return publish(request, from, form);
    if (!schedule) throw Refusal.at('bad_request', 'deliverAt', 'needs the setting scheduledPublishes');
    return schedule(request, deliverAt, from, form);
  };
}

function refuseUnlessOurs(found: Scheduling, messageId: string): void {
  if (found === 'conflict')
    throw Refusal.at('conflict', 'messageId', `${messageId} was published with another body`);
  if (found === 'cancelled') throw Refusal.at('conflict', 'messageId', `${messageId} was cancelled`);
}
