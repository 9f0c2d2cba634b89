import type { Position } from '../../protocol/index.ts';

/** A log: a channel of a tenant, named as targets are (`user:member:42`, `topic:orders`). */
export interface LogId {
  readonly tenant: string;
  readonly channel: string;
}

/** Partition of a channel's log. No name holds a `#`. */
export function channelKey({ tenant, channel }: LogId): string {
  return `CHANNEL#${tenant}#${channel}`;
}

export function keyOf(log: LogId, sk: string): { pk: string; sk: string } {
  return { pk: channelKey(log), sk };
}

export const headSortKey = 'HEAD';

/** How far the user has read; in the logs of users only. */
export const cursorSortKey = 'CURSOR';

/** Twelve digits, so that messages sort by offset. */
export function messageSortKey(offset: number): string {
  return `MSG#${String(offset).padStart(12, '0')}`;
}

export function offsetOf(sortKey: string): number {
  return Number(sortKey.slice('MSG#'.length));
}

/** The head of a log in the state table. Times are epoch milliseconds. */
export interface HeadRow extends Position {
  /** When this epoch of the log began. */
  readonly createdAt: number;
  /** When the last offset was taken. */
  readonly movedAt: number;
  /** The shortest TTL of any message of the log. */
  readonly shortestTtlSeconds: number;
}

/** One offset of a log. */
export interface MessageRow {
  readonly sk: string;
  readonly epoch: string;
  /** When its offset was taken, or earlier. Epoch milliseconds. */
  readonly takenAt: number;
  /** TTL, in epoch seconds. */
  readonly expiresAt: number;
  readonly messageId?: string;
  /**
   * The text that receivers without a form of their own get. Absent: a reader has sealed the offset, and no message will
   * ever be there.
   */
  readonly frame?: string;
  /** The content of the frame is JSON text, because its sender writes so. */
  readonly form?: 'text' | undefined;
  /** It was sealed while no message could have expired there. Otherwise a message may have been there. */
  readonly isHole?: boolean;
}

/** An offset that a writer has taken for its message. */
export interface Slot extends Position {
  /** Epoch milliseconds. */
  readonly takenAt: number;
}
