import type { PresenceChange, PresenceOfUser } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { Publish } from '../publish/publish.ts';
import { watchTopic } from '../sessions/subscriptions/watches.ts';
import { nameOf, type Subject, watchedOf } from './subjects.ts';

/** Tells the watchers of a subject that it is present, or absent. */
export type Announce = (
  subject: Subject,
  isPresent: boolean,
  lastSeenAt: number | undefined,
) => Promise<void>;

export function createAnnounce({
  publish,
  clock,
}: {
  readonly publish: Publish;
  readonly clock: Pick<Clock, 'now'>;
}): Announce {
  return async (subject, isPresent, lastSeenAt) => {
    const { user, topic } = subject;
    const content: PresenceChange =
      topic === undefined
        ? presenceOfUser(nameOf(user), isPresent, lastSeenAt, clock.now())
        : { topic, user: nameOf(user), joined: isPresent };
    await publish({
      to: [{ kind: 'topic', topic: watchTopic(watchedOf(subject)) }],
      type: 'presence',
      content,
      tenant: user.tenant,
      // Even if the setting `durableTopics` is `*`.
      durable: false,
      exclude: [],
    });
  };
}

export function presenceOfUser(
  user: string,
  online: boolean,
  lastSeenAt: number | undefined,
  now: number,
): PresenceOfUser {
  return { user, online, lastSeenAt: online ? now : (lastSeenAt ?? null) };
}
