import {
  maxPresenceUsers,
  parseWith,
  Refusal,
  type TopicPresence,
  type UserPresence,
  userName,
} from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { Recipient } from '../sessions/items.ts';
import type { Recipients } from '../sessions/recipients.ts';
import { readCursor, writeCursor } from '../tables/page-cursor.ts';
import { presenceOfUser } from './announce.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { PresenceStates } from './states.ts';
import { nameOf, userNamed, watchKey } from './subjects.ts';

export interface PresenceReaderOptions {
  readonly states: Pick<PresenceStates, 'readAll'>;
  readonly openSessions: OpenSessions;
  readonly recipients: Pick<Recipients, 'shards' | 'ofTopic' | 'countOpen'>;
  readonly clock: Pick<Clock, 'now'>;
}

export type PresenceReader = ReturnType<typeof createPresenceReader>;

/** The subscriptions that one page of a topic reads. */
const pageSize = 1_000;

/** Tells who is online now, by the sessions. It knows no grace. */
export function createPresenceReader(options: PresenceReaderOptions) {
  const { states, openSessions, recipients, clock } = options;
  const shards = Array.from({ length: recipients.shards }, (_, shard) => shard);

  return {
    /** Whether each of these users is online, in the order of the names. Names are `<type>:<id>`, 100 at most. */
    async ofUsers(tenant: string, names: readonly string[]): Promise<UserPresence[]> {
      if (names.length > maxPresenceUsers)
        throw Refusal.at('bad_request', 'users', `must hold at most ${maxPresenceUsers} users`);
      for (const [at, each] of names.entries()) parseWith(userName, each, `users[${at}]`, 'bad_request');
      const unique = [...new Set(names)];
      const counts = new Map(
        await Promise.all(
          unique.map(async (each) => {
            const open = await openSessions({ user: userNamed(tenant, each) });
            return [each, open.length] as const;
          }),
        ),
      );
      const keyOf = (each: string) => watchKey(tenant, { kind: 'user', name: each });
      const rows = await states.readAll(unique.filter((each) => counts.get(each) === 0).map(keyOf));
      return names.map((each) => {
        const count = counts.get(each) ?? 0;
        const { lastSeenAt } = rows.get(keyOf(each).pk) ?? {};
        return { ...presenceOfUser(each, count > 0, lastSeenAt, clock.now()), sessions: count };
      });
    },

    /** A page of the users who are subscribed to a topic. */
    async ofTopic(tenant: string, topic: string, cursor: string | undefined): Promise<TopicPresence> {
      const of = `${tenant}:presence:${topic}`;
      const found: Recipient[] = [];
      let { shard, after } = readCursor(of, cursor);
      while (shard < shards.length && found.length < pageSize) {
        const limit = pageSize - found.length;
        const page = await recipients.ofTopic({ tenant, topic, shard }, { after, limit });
        found.push(...page.recipients);
        after = page.next;
        if (after === undefined) shard += 1;
      }
      const isAll = cursor === undefined && shard === shards.length;
      const counts = isAll
        ? [found.length]
        : await Promise.all(shards.map((each) => recipients.countOpen.topic({ tenant, topic, shard: each })));
      return {
        topic,
        sessions: counts.reduce((sum, count) => sum + count, 0),
        users: usersOf(found).map(([user, sessions]) => {
          return { ...presenceOfUser(user, true, undefined, clock.now()), sessions };
        }),
        ...(shard < shards.length && { cursor: writeCursor(of, { shard, after }) }),
      };
    },
  };
}

/** The users behind these sessions, sorted, each with the number of the sessions. */
export function usersOf(found: readonly Recipient[]): readonly (readonly [user: string, sessions: number])[] {
  const counts = new Map<string, number>();
  for (const { identity } of found) counts.set(nameOf(identity), (counts.get(nameOf(identity)) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}
