import type { Session } from '../../protocol/index.ts';
import { readCursor, writeCursor } from '../tables/page-cursor.ts';
import type { PageOptions, Recipients } from './recipients.ts';
import type { Sessions } from './sessions.ts';

export interface SessionQuery {
  readonly tenant: string;
  readonly userType: string;
  readonly userId?: string | undefined;
  /** The cursor that the previous page returned. */
  readonly cursor?: string | undefined;
}

export interface SessionPage {
  readonly sessions: readonly Session[];
  /** Absent at the end. */
  readonly cursor?: string;
}

const pageSize = 100;

/** A page of the sessions of a user, or of all users of a type. */
export async function listSessions(
  recipients: Recipients,
  sessions: Sessions,
  { tenant, userType, userId, cursor }: SessionQuery,
): Promise<SessionPage> {
  // A user has one partition. A type has one in each shard.
  const shards = userId === undefined ? recipients.shards : 1;
  const read = (shard: number, options: PageOptions) =>
    userId === undefined
      ? recipients.ofAudience({ tenant, userType, shard }, options)
      : recipients.ofUser({ tenant, userType, userId }, options);

  const of = [tenant, userType, userId].join(':');
  const found: Session[] = [];
  let { shard, after } = readCursor(of, cursor);
  while (shard < shards && found.length < pageSize) {
    const page = await read(shard, { after, limit: pageSize - found.length });
    found.push(...(await sessions.getMany(page.recipients)));
    after = page.next;
    if (after === undefined) shard += 1;
  }
  return { sessions: found, ...(shard < shards && { cursor: writeCursor(of, { shard, after }) }) };
}
