import type { Outgoing } from '../content-form.ts';
import { writerLostAfterMs } from '../timing.ts';
import { type HeadRow, offsetOf } from './items.ts';
import type { RangeRows } from './rows.ts';

/** A message that is still kept. */
interface KeptMessage extends Outgoing {
  readonly offset: number;
}

/** The result of reading a range of a log. */
export interface LogPage {
  /** In order. */
  readonly messages: readonly KeptMessage[];
  /** The last offset of the range. */
  readonly offset: number;
  /** Offsets that hold no message and never will. */
  readonly skipped: readonly number[];
  /** The first offset whose message has expired, or may have. Absent: nothing is missing. */
  readonly lostAt?: number | undefined;
  /** The bytes that were read for it. Messages that have expired count too. */
  readonly bytesRead: number;
}

/** An offset without a row. */
export interface Gap {
  readonly offset: number;
  /** A time before it was taken, in epoch milliseconds. */
  readonly takenAt: number;
  /** No message can have expired there. */
  readonly isHole: boolean;
  /** Its writer has ended. */
  readonly isSettled: boolean;
}

/** At most so many writers of one channel are between taking an offset and writing. */
export const maxWriters = 100;

/**
 * Sorts the offsets above `after`, up to `to`, into messages, skipped and lost ones, and `open`: gaps whose writer may
 * still write. The row at `after` only tells when the next offsets were taken.
 *
 * A missing row is a hole only if even the shortest TTL, counted from the previous row, has not run out. Otherwise its
 * message may have expired.
 */
export function classifyGaps(
  head: HeadRow,
  { rows, after, to, takenBefore }: Omit<RangeRows, 'bytes'>,
  now: number,
): Omit<LogPage, 'bytesRead'> & { readonly open: readonly Gap[] } {
  const messages: KeptMessage[] = [];
  const skipped: number[] = [];
  const open: Gap[] = [];
  let lostAt: number | undefined;
  let offset = after;
  let takenAt = head.createdAt;

  /** Everything up to `last` is missing. It was taken before `lastTakenBefore`. */
  function pass(last: number, lastTakenBefore: number): void {
    const isKept = takenAt + head.shortestTtlSeconds * 1000 > now;
    const isSettled = lastTakenBefore + writerLostAfterMs < now;
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
        messages.push({ offset: at, frame: row.frame, ...(row.form && { form: row.form }) });
      else lostAt ??= at;
    }
    takenAt = row.takenAt;
  }
  pass(to, takenBefore);
  return { messages, offset, skipped, lostAt, open };
}
