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

export const headSortKey = 'HEAD';

/** How far the user has read; in the logs of users only. */
export const cursorSortKey = 'CURSOR';

/** Twelve digits, so that messages sort as they count. */
export function messageSortKey(offset: number): string {
  return `MSG#${String(offset).padStart(12, '0')}`;
}

export function offsetOf(sortKey: string): number {
  return Number(sortKey.slice('MSG#'.length));
}

/** The head of a log in the state table. Times are epoch milliseconds. */
export interface HeadRow extends Position {
  /** When this life of the log began. */
  readonly createdAt: number;
  /** When the last offset was taken. */
  readonly movedAt: number;
  /** The least that any message of the log was to be kept for. */
  readonly shortestTtlSeconds: number;
}

/** One offset of a log. */
export interface MessageRow {
  readonly sk: string;
  readonly epoch: string;
  /** When its offset was taken, or before; in epoch milliseconds. */
  readonly takenAt: number;
  /** TTL, in epoch seconds. */
  readonly expiresAt: number;
  readonly messageId?: string;
  /** The text that receivers get. Absent: closed by a reader, and nothing will be written there any more. */
  readonly frame?: string;
  /** It was closed when nothing can have expired there; else nobody knows whether something was there. */
  readonly isHole?: boolean;
}

/** A slot that was taken for a message, and when: epoch milliseconds. */
export interface Slot extends Position {
  readonly takenAt: number;
}
