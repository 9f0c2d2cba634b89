import type { Position } from '../protocol/index.ts';

/** The head of a log in the messages table. Times are epoch milliseconds. */
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

/** A place that was taken for a message, and when: epoch milliseconds. */
export interface Place extends Position {
  readonly takenAt: number;
}
