import type { ServerFrame } from './frames.ts';

/** A place in the log of a channel: a reader that stands there has everything up to and including `offset`. */
export interface Position {
  /** The life of the log. A log that was lost or reset begins again at offset 1, with another epoch. */
  readonly epoch: string;
  /** The first message of a log has offset 1. */
  readonly offset: number;
}

/** The position of a named channel. */
export interface ChannelPosition extends Position {
  readonly channel: string;
}

/** The frame of a durable message. */
export type DurableFrame = ServerFrame & ChannelPosition;

/** How far the server has sent a channel's log, as `recover` and `subscribe` answer it. */
export interface Recovery extends Position {
  /** True: everything asked for, up to `offset`, has been sent. False: some of it is no longer kept. */
  readonly recovered: boolean;
  /** Offsets without a message, now and forever: their publishers failed half-way. */
  readonly skipped?: readonly number[] | undefined;
  /** The log goes on after `offset`: ask again from there. */
  readonly more?: true | undefined;
  /** The messages, where the request had `messagesIn`. They are not sent as frames of their own then. */
  readonly messages?: readonly DurableFrame[] | undefined;
}

/** The content of `subscribe`. With a position, the server also sends what followed it. */
export interface Subscribe extends Partial<Position> {
  readonly topic: string;
  /** Where the messages come. @default - each is a frame of its own */
  readonly messagesIn?: 'ack';
}

/** The content of the ack of `subscribe`. */
export interface Subscribed extends Recovery {
  readonly topic: string;
}

/** The content of `recover`. Without a position, the answer only says where the log stands. */
export interface Recover {
  readonly channels: readonly (Partial<Position> & { readonly channel: string })[];
  /** Where the messages come. @default - each is a frame of its own */
  readonly messagesIn?: 'ack';
}

/** The content of the ack of `recover`, in the order asked. */
export interface Recovered {
  readonly channels: readonly (Recovery & { readonly channel: string })[];
}

/** The content of `history`. Without `before` and `after`, it begins with the newest message. */
export interface History {
  readonly channel: string;
  /** Lists the messages before this offset, newest first. */
  readonly before?: number;
  /** Lists the messages after this offset, oldest first. */
  readonly after?: number;
  readonly limit?: number;
}

/** A page of a channel's log, as `history` and `GET /channels/{channel}/messages` answer it. */
export interface ChannelPage {
  /** Frames of durable messages: oldest first after an offset, newest first before one. */
  readonly messages: readonly ServerFrame[];
  /** Empty where no durable message was ever published on the channel. */
  readonly epoch: string;
  /** The offset of the newest message. */
  readonly head: number;
  /** The `after` or `before` of the next page. The last page has none. */
  readonly next?: number;
}
