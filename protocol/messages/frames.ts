import type { Identity } from './identity.ts';

/** A frame that a client sends. */
export interface ClientFrame {
  readonly type: string;
  readonly content: unknown;
  /** With an id, the server answers the frame with an `ack` or `error` of the same id. */
  readonly id?: string | undefined;
}

/** A frame that the server sends: a published message, or one about the connection such as `ack`. */
export interface ServerFrame<Content = unknown> {
  readonly type: string;
  readonly content: Content;
  /** The id of the frame that an `ack`, `error` or `pong` answers. */
  readonly id?: string | undefined;
  readonly messageId?: string | undefined;
  /**
   * The channel of a durable message, or of a message to exactly one topic: `user:<type>:<id>`, `type:<type>`,
   * `topic:<name>` or `everyone`.
   */
  readonly channel?: string | undefined;
  /** The message's place in the log of its channel, from 1. Only durable messages have one. */
  readonly offset?: number | undefined;
  /** The life of that log. A log of another epoch counts from 1 again. */
  readonly epoch?: string | undefined;
  /** The user whose frame caused this message. The server sets it; a client cannot. */
  readonly from?: Identity | undefined;
}

/** A published message. */
export interface MessageFrame extends ServerFrame {
  readonly messageId: string;
}

/** The content of an `error` frame. */
export interface ErrorContent {
  readonly code: string;
  /** For people; it may change. */
  readonly message: string;
  /** The type of the refused frame, where it could be read. */
  readonly requestType?: string | undefined;
  /** With `rate_limited`: when the same frame may succeed. */
  readonly retryAfterMs?: number | undefined;
}

/** The content of `closing`: why the server is about to close the connection, and whether to connect again. */
export interface Closing {
  readonly code: 'kicked' | 'token_expired' | 'revoked' | 'too_many_sessions' | 'not_found';
  readonly message: string;
  readonly retry: boolean;
}
