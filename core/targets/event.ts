import type { Identity } from '../../protocol/index.ts';
import type { ListenerSender, ListenerSession } from '../dispatch/listener.ts';

/** The object that a target gets. It is sent as JSON. Times are epoch milliseconds. */
export interface TargetEvent {
  /** The idempotency key: a second delivery of the same event has the same id. */
  readonly messageId: string;
  readonly from: Identity;
  /** `null`: a frame that came by `POST /messages`. */
  readonly session: ListenerSession | null;
  readonly sentAt: number;
}

/** A frame of a client. */
export interface MessageEvent extends TargetEvent {
  readonly kind: 'message';
  readonly from: ListenerSender;
  readonly type: string;
  readonly content: unknown;
  /** Patterns of the topics that the sender's token allows. */
  readonly topics: readonly string[];
}

/** Sends an event to one target. Resolves to the JSON text of its answer. Rejects if the target failed. */
export type Send = (event: TargetEvent) => Promise<string>;

/** One way to send. It gives up when the signal says so. */
export type SendWithin = (event: TargetEvent, signal: AbortSignal) => Promise<string>;
