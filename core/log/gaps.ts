import { type HeadRow, type MessageRow, offsetOf } from './items.ts';

/** What a reader has learned of a stretch of a log. */
export interface LogPage {
  /** In order. */
  readonly messages: readonly { readonly offset: number; readonly frame: string }[];
  /** How far it read. */
  readonly offset: number;
  /** Offsets on the way that hold no message and never will. */
  readonly skipped: readonly number[];
  /** The first offset on the way whose message is not kept any more, or may have been; absent where nothing is missing. */
  readonly lostAt?: number | undefined;
}

/** An offset without a row. */
export interface Gap {
  readonly offset: number;
  /** A time at which it was not yet taken, in epoch milliseconds. */
  readonly takenAt: number;
  /** Nothing can have expired there. */
  readonly isHole: boolean;
  /** Whoever took it does not live any more. */
  readonly isSettled: boolean;
}

/** Twice what a function may run for: whoever took an offset longer ago will not write there any more. */
const writingTimeMs = 60_000;

/** How many writers of one channel may be between taking an offset and writing, at most. */
export const maxWriters = 100;

/**
 * Reads what was found from `after` to `readTo`, both inclusive; the row at `after` only tells from when the others are.
 * `open` are the offsets that a writer may still be about to write. Without a row an offset is a hole, or its message
 * has expired and was removed: it has not where even the shortest-lived message, taken right after the row before,
 * would still be there.
 */
export function classifyGaps(
  head: HeadRow,
  rows: readonly MessageRow[],
  { after, readTo }: { readonly after: number; readonly readTo: number },
  now: number,
): LogPage & { readonly open: readonly Gap[] } {
  const messages: { offset: number; frame: string }[] = [];
  const skipped: number[] = [];
  const open: Gap[] = [];
  let lostAt: number | undefined;
  let offset = after;
  let takenAt = head.createdAt;

  /** Everything up to this offset is missing; it was taken before `takenBefore`. */
  function pass(last: number, takenBefore: number): void {
    const isKept = takenAt + head.shortestTtlSeconds * 1000 > now;
    const isSettled = takenBefore + writingTimeMs < now;
    const first = isKept ? offset + 1 : isSettled ? last + 1 : Math.max(offset + 1, last + 1 - maxWriters);
    for (let each = first; each <= last; each += 1)
      open.push({ offset: each, takenAt, isHole: isKept, isSettled });
    if (last > offset && !isKept) lostAt ??= offset + 1;
    offset = Math.max(offset, last);
  }

  for (const row of rows) {
    const at = offsetOf(row.sk);
    if (at > after) {
      pass(at - 1, row.takenAt);
      offset = at;
      if (row.isHole) skipped.push(at);
      else if (row.frame !== undefined && row.expiresAt * 1000 > now)
        messages.push({ offset: at, frame: row.frame });
      else lostAt ??= at;
    }
    takenAt = row.takenAt;
  }
  pass(readTo, head.movedAt);
  return { messages, offset, skipped, lostAt, open };
}
