import * as z from 'zod/mini';
import { Refusal } from '../../protocol/index.ts';

/** A place in something that is read shard by shard. */
export interface PagePosition {
  readonly shard: number;
  /** Sort key of the last row that was read of the shard. */
  readonly after?: string | undefined;
}

const shape = z.strictObject({
  of: z.string(),
  shard: z.int().check(z.gte(0)),
  after: z.optional(z.string()),
});

/** A position as users get it, opaque to them; `of` names what is read, so that it fits nothing else. */
export function writeCursor(of: string, { shard, after }: PagePosition): string {
  return Buffer.from(JSON.stringify({ of, shard, after })).toString('base64url');
}

/** The position in a cursor, the beginning where there is none; throws a `bad_request` where it is not of this query. */
export function readCursor(of: string, cursor: string | undefined): PagePosition {
  if (cursor === undefined) return { shard: 0 };
  try {
    const read = z.safeParse(shape, JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (read.success && read.data.of === of) return read.data;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw Refusal.at('bad_request', 'cursor', 'must be the cursor of an earlier page of the same query');
}
