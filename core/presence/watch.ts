import type { PresenceOfTopic, PresenceOfUser, Watching } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { Recipients } from '../sessions/recipients.ts';
import type { Subscriber } from '../sessions/subscriptions/rows.ts';
import type { SubscribeOutcome, Subscriptions } from '../sessions/subscriptions/subscriptions.ts';
import { type Watched, watchTopic } from '../sessions/subscriptions/watches.ts';
import { presenceOfUser } from './announce.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { Probes } from './probes.ts';
import { usersOf } from './reader.ts';
import type { Settle } from './settle.ts';
import type { PresenceStates } from './states.ts';
import { userNamed } from './subjects.ts';

export interface WatchesOptions {
  readonly states: Pick<PresenceStates, 'watch' | 'read'>;
  readonly openSessions: OpenSessions;
  readonly recipients: Pick<Recipients, 'shards' | 'ofTopic'>;
  readonly subscriptions: Pick<Subscriptions, 'subscribe' | 'unsubscribe'>;
  readonly settle: Settle;
  readonly probes: Pick<Probes, 'ensure'>;
  readonly clock: Pick<Clock, 'now' | 'wait'>;
}

/** What a client watches. No user and no topic comes twice. */
export interface Asked {
  readonly users: readonly string[];
  readonly topics: readonly string[];
}

export type Watches = ReturnType<typeof createWatches>;

/** The users of a topic that one ack names. */
const maxUsers = 100;
/** The subscriptions that one ack reads, over all of its topics. */
const maxRows = 500;
/** While another function announces a user, what it tells may not reach the new watcher. */
const pausesMs = [50, 100, 200, 400, 800];

/** What clients watch, and what they are told at first. */
export function createWatches(options: WatchesOptions) {
  const { states, openSessions, recipients, subscriptions, settle, probes, clock } = options;

  /** The first answer is what watchers were told. So the next announcement is the first change after it. */
  async function firstOfUser(tenant: string, name: string): Promise<PresenceOfUser> {
    const watched: Watched = { kind: 'user', name };
    const subject = { user: userNamed(tenant, name) };
    let row = await states.watch(tenant, watched);
    for (const pauseMs of pausesMs) {
      if ((row.heldUntil ?? 0) <= clock.now()) break;
      await clock.wait(pauseMs);
      row = await states.read(subject);
    }
    const isOnline = (await openSessions(subject)).length > 0;
    const isKnown = row.toldAt !== undefined && row.toldAt >= (row.watchedSince ?? 0);
    const settled = isKnown && row.isPresent === isOnline ? undefined : await settle(subject, row);
    const online = settled?.isPresent ?? isOnline;
    if (online) await probes.ensure(tenant, watched, row);
    return presenceOfUser(name, online, row.lastSeenAt, clock.now());
  }

  async function firstOfTopic(tenant: string, topic: string, limit: number): Promise<PresenceOfTopic> {
    const watched: Watched = { kind: 'topic', name: topic };
    await probes.ensure(tenant, watched, await states.watch(tenant, watched));
    const pages = await Promise.all(
      Array.from({ length: recipients.shards }, (_, shard) =>
        recipients.ofTopic({ tenant, topic, shard }, { limit }),
      ),
    );
    const found = pages.flatMap((page) => page.recipients);
    const users = usersOf(found).map(([user]) => ({ user }));
    const hasMore = users.length > maxUsers || pages.some(({ next }) => next !== undefined);
    return {
      topic,
      sessions: found.length,
      users: users.slice(0, maxUsers),
      ...(hasMore && { more: true as const }),
    };
  }

  const topicsOf = ({ users, topics }: Asked) => [
    ...users.map((name) => watchTopic({ kind: 'user', name })),
    ...topics.map((name) => watchTopic({ kind: 'topic', name })),
  ];

  return {
    /** Subscribes first, so that no announcement after the first answer is missed. */
    async watch(
      subscriber: Subscriber,
      asked: Asked,
      patterns: readonly string[],
    ): Promise<Watching | Exclude<SubscribeOutcome, 'subscribed'>> {
      const outcome = await subscriptions.subscribe(subscriber, topicsOf(asked), patterns);
      if (outcome !== 'subscribed') return outcome;
      const { tenant } = subscriber.identity;
      const limit = Math.max(1, Math.floor(maxRows / asked.topics.length / recipients.shards));
      const [users, topics] = await Promise.all([
        Promise.all(asked.users.map((name) => firstOfUser(tenant, name))),
        Promise.all(asked.topics.map((topic) => firstOfTopic(tenant, topic, limit))),
      ]);
      return { users, topics };
    },

    unwatch: (subscriber: Subscriber, asked: Asked) => subscriptions.unsubscribe(subscriber, topicsOf(asked)),
  };
}
