import type { OnlineUser } from '../../protocol/index.ts';
import { readCursor, writeCursor } from '../tables/page-cursor.ts';
import type { Recipient } from './items.ts';
import { type Read, readsOf, type SessionQuery } from './query.ts';
import type { Recipients } from './recipients.ts';

export interface UserPage {
  /** Sorted by their names. */
  readonly users: readonly OnlineUser[];
  /** Absent at the end. */
  readonly cursor?: string;
}

/**
 * A page of the users with open sessions, sorted. The index of sessions is sorted by connection, and sessions come and
 * go between two pages. So each page reads all sessions of the query, and takes the first users after the cursor. Names
 * only grow from page to page. So no user is listed twice, and one who is online all the time is listed once.
 */
export async function listUsers(recipients: Recipients, query: SessionQuery): Promise<UserPage> {
  const { tenant, userType, userId, limit, cursor } = query;
  const of = ['users', tenant, userType, userId].join(':');
  const { after = '' } = readCursor(of, cursor);
  let users = new Map<string, OnlineUser>();

  function add(sessions: readonly Recipient[]): void {
    for (const { identity, connectedAt } of sessions) {
      const user = `${identity.userType}:${identity.userId}`;
      if (user <= after) continue;
      const known = users.get(user) ?? { user, sessions: 0, connectedAt };
      users.set(user, {
        user,
        sessions: known.sessions + 1,
        connectedAt: Math.min(known.connectedAt, connectedAt),
      });
    }
    // Users beyond the page are forgotten, so that an audience of any size fits into memory.
    if (users.size > 10 * limit) users = new Map(first(users, limit + 1).map((each) => [each.user, each]));
  }

  await Promise.all(readsOf(recipients, query).map((read) => readAll(read, add)));
  const listed = first(users, limit);
  const last = listed.at(-1);
  const hasMore = last !== undefined && users.size > listed.length;
  return { users: listed, ...(hasMore && { cursor: writeCursor(of, { shard: 0, after: last.user }) }) };
}

async function readAll(read: Read, add: (sessions: readonly Recipient[]) => void): Promise<void> {
  let after: string | undefined;
  do {
    const page = await read({ after });
    add(page.recipients);
    after = page.next;
  } while (after !== undefined);
}

function first(users: ReadonlyMap<string, OnlineUser>, count: number): OnlineUser[] {
  return [...users.values()].sort((a, b) => (a.user < b.user ? -1 : 1)).slice(0, count);
}
