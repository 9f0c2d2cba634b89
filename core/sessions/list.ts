import type { Session } from '../../protocol/index.ts';
import { readCursor, writeCursor } from '../tables/page-cursor.ts';
import { readsOf, type SessionQuery } from './query.ts';
import type { Recipients } from './recipients.ts';
import type { Sessions } from './sessions.ts';

export interface SessionPage {
  readonly sessions: readonly Session[];
  /** Absent at the end. */
  readonly cursor?: string;
}

/** DynamoDB reads so many items in one batch. */
const batchSize = 100;

/** A page ends above this. A session can have 25 KB of topics, and a Lambda answer has at most 6 MB. */
const maxPageBytes = 2 * 1024 * 1024;

/** A page of the sessions of a user, of all users of a type, or of everyone. */
export async function listSessions(
  recipients: Recipients,
  sessions: Sessions,
  query: SessionQuery,
): Promise<SessionPage> {
  const reads = readsOf(recipients, query);
  const of = [query.tenant, query.userType, query.userId].join(':');
  const found: Session[] = [];
  let bytes = 0;
  let { shard, after } = readCursor(of, query.cursor);
  for (
    let read = reads[shard];
    read && found.length < query.limit && bytes < maxPageBytes;
    read = reads[shard]
  ) {
    const page = await read({ after, limit: Math.min(query.limit - found.length, batchSize) });
    const batch = await sessions.getMany(page.recipients);
    found.push(...batch);
    bytes += Buffer.byteLength(JSON.stringify(batch));
    after = page.next;
    if (after === undefined) shard += 1;
  }
  return { sessions: found, ...(shard < reads.length && { cursor: writeCursor(of, { shard, after }) }) };
}
