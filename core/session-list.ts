import * as z from 'zod/mini';
import { type Identity, Refusal, type Session } from '../protocol/index.ts';
import type { Sessions } from './sessions.ts';

export interface SessionQuery {
  readonly tenant: string;
  readonly userType: string;
  readonly userId?: string | undefined;
  /** Where the last page ended, as that page gave it. */
  readonly cursor?: string | undefined;
}

export interface SessionPage {
  readonly sessions: readonly Session[];
  /** Given while there may be more. */
  readonly cursor?: string;
}

const pageSize = 100;

const cursorShape = z.object({
  shard: z.int().check(z.gte(0)),
  key: z.optional(z.record(z.string(), z.unknown())),
});

type Cursor = z.output<typeof cursorShape>;

/** A page of the sessions of a user, or of all users of a type. */
export async function listSessions(sessions: Sessions, query: SessionQuery): Promise<SessionPage> {
  const { tenant, userType, userId, cursor } = query;
  const from = cursor === undefined ? { shard: 0 } : readCursor(cursor);
  try {
    return userId === undefined
      ? await pageOfType(sessions, tenant, userType, from)
      : await pageOfUser(sessions, { tenant, userType, userId }, from);
  } catch (cause) {
    // The database refuses a start key that does not belong to the partition that is read.
    if (cursor !== undefined && cause instanceof Error && cause.name === 'ValidationException')
      throw badCursor();
    throw cause;
  }
}

async function pageOfUser(sessions: Sessions, identity: Identity, from: Cursor): Promise<SessionPage> {
  const { sessions: found, next } = await sessions.sessionsOfUser(identity, pageSize, from.key);
  return { sessions: found, ...(next && { cursor: writeCursor({ shard: 0, key: next }) }) };
}

async function pageOfType(
  sessions: Sessions,
  tenant: string,
  userType: string,
  from: Cursor,
): Promise<SessionPage> {
  const found: Session[] = [];
  let { shard, key }: { shard: number; key?: Cursor['key'] } = from;
  while (shard < sessions.shards && found.length < pageSize) {
    const limit = pageSize - found.length;
    const page = await sessions.ofAudience({ tenant, userType, shard, limit }, key);
    found.push(...(await sessions.getMany(page.recipients)));
    key = page.next;
    if (!key) shard += 1;
  }
  return { sessions: found, ...(shard < sessions.shards && { cursor: writeCursor({ shard, key }) }) };
}

function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

function readCursor(text: string): Cursor {
  try {
    const read = z.safeParse(cursorShape, JSON.parse(Buffer.from(text, 'base64url').toString()));
    if (read.success) return read.data;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw badCursor();
}

function badCursor(): Refusal {
  const message = 'must be the cursor of an earlier page of the same query';
  return new Refusal('bad_request', `cursor: ${message}`, [{ field: 'cursor', message }]);
}
