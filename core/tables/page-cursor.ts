import * as z from 'zod/mini';
import { Refusal } from '../../protocol/index.ts';

/** A position in a list that is read shard by shard. */
export interface PagePosition {
  readonly shard: number;
  /** Sort key of the last row read from the shard. */
  readonly after?: string | undefined;
}

const shape = z.strictObject({
  of: z.string(),
  shard: z.int().check(z.gte(0)),
  // Keys are printable ASCII, and DynamoDB takes no key that is empty or above 1 KB.
  after: z.optional(z.string().check(z.regex(/^[!-~]{1,512}$/))),
});

/** Writes a position as an opaque cursor. `of` names the query, so that no other query takes the cursor. */
export function writeCursor(of: string, { shard, after }: PagePosition): string {
  return Buffer.from(JSON.stringify({ of, shard, after })).toString('base64url');
}

/** Reads a cursor. Without one, the position is the beginning. Throws a `bad_request` for a cursor of another query. */
export function readCursor(of: string, cursor: string | undefined): PagePosition {
  if (cursor === undefined) return { shard: 0 };
  try {
    const read = z.safeParse(shape, JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (read.success && read.data.of === of) return read.data;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw wrongCursor();
}

export function wrongCursor(): Refusal {
  return Refusal.at('bad_request', 'cursor', 'must be the cursor of an earlier page of the same query');
}
