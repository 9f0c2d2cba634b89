import type { Identity } from '../protocol/names.ts';

/** What the server sends. */
export interface Frame<Content = unknown> {
  readonly type: string;
  readonly content: Content;
  /** The frame that an `ack`, `error` or `pong` answers. */
  readonly id?: string;
  readonly messageId?: string;
  /** What it was published on: `user:<type>:<id>`, `type:<type>`, `topic:<name>` or `everyone`. */
  readonly channel?: string;
  /** Its place in the durable log of the channel, from 1; absent where the message is not durable. */
  readonly offset?: number;
  /** Which life of that log; another epoch counts from 1 again. */
  readonly epoch?: string;
  /** Stamped by the server on whatever a client caused. */
  readonly from?: Identity;
}

/** Where a reader of a durable log stands: everything up to `offset` has been delivered. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

export type DurableFrame = Frame & Position & { readonly channel: string };

/** What the server says of one channel after `subscribe` or `recover`. */
export interface ChannelAnswer extends Position {
  readonly channel?: string;
  /** Whether everything up to `offset` that was asked for has been sent. */
  readonly recovered: boolean;
  /** Offsets on the way for which there is no message, and never will be. */
  readonly skipped?: readonly number[];
  /** The log goes on beyond `offset`: ask again from there. */
  readonly more?: boolean;
}

export const topicPrefix = 'topic:';

/**
 * The frame, or nothing where the text is none. API Gateway itself speaks on this socket too, `{"message":"Internal
 * server error","connectionId":…}` where a function failed: that is no frame and answers none.
 */
export function readFrame(text: unknown): Frame | undefined {
  const value = readJson(String(text)) as Partial<Frame> | null | undefined;
  return typeof value?.type === 'string' ? (value as Frame) : undefined;
}

export function isDurable(frame: Frame): frame is DurableFrame {
  return !!frame.channel && hasPosition(frame);
}

/** Whether the server says where a log stands; a topic that keeps none has nothing to say. */
export function hasPosition(value: unknown): value is ChannelAnswer {
  const { epoch, offset } = Object(value) as Partial<Position>;
  return typeof epoch === 'string' && typeof offset === 'number';
}

/** The JSON value, or nothing where the text is not JSON. */
export function readJson(text: string, decode = (encoded: string) => encoded): unknown {
  try {
    return JSON.parse(decode(text));
  } catch {
    // Neither JSON.parse nor atob says no in another way.
    return undefined;
  }
}
