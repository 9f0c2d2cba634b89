import {
  ackFrame,
  type DurableFrame,
  maxDownlinkFrameBytes,
  maxFrameIdLength,
  messageUnitBytes,
  type Recovery,
} from '../../protocol/index.ts';
import type { ConnectionsClient } from '../connections/client.ts';

/** Where the messages of a recover go. */
export interface Sink {
  /** How many rows to read next. 0: it takes no more messages. */
  readonly rows: (read: Reading) => number;
  /** Resolves to whether it has taken the message. After one that it has not taken, it takes no other. */
  readonly take: (frame: string) => Promise<boolean>;
  /** The answer will name so many offsets that have no message. */
  readonly skip: (count: number) => void;
  /** The messages for the answer of a channel: those since the last call. */
  readonly collect: () => readonly DurableFrame[];
  /** The connection did not take the first message. */
  readonly isRefused: () => boolean;
}

/** What a recover has read, and what it still may read. */
export interface Reading {
  readonly rows: number;
  readonly bytes: number;
  readonly bytesLeft: number;
}

/** API Gateway bills a message for each 32 KB that it holds. One recover posts up to so many. */
export const maxPosted = 40;

export interface PostSink extends Sink {
  /** The billed messages that the connection took. */
  readonly posted: () => number;
}

/** Posts one message after the other to the connection. API Gateway promises no order between posts that overlap. */
export function createPostSink(
  connections: Pick<ConnectionsClient, 'prepare' | 'post'>,
  connectionId: string,
  deadline: number,
): PostSink {
  let posted = 0;
  let isOver = false;
  return {
    // As many as there are bytes left for, if each is as large as it can be.
    rows: ({ bytesLeft }) =>
      isOver || posted >= maxPosted ? 0 : Math.ceil(bytesLeft / maxDownlinkFrameBytes),
    async take(frame) {
      isOver ||= posted >= maxPosted;
      if (isOver) return false;
      const payload = connections.prepare(frame);
      // A client that does not read must not keep a function waiting, so a 429 ends the call.
      const limits = { deadline, retriesThrottled: false };
      const { outcome } = await connections.post(connectionId, payload, limits);
      isOver = outcome !== 'sent';
      if (!isOver) posted += Math.ceil(payload.bytes.length / messageUnitBytes);
      return !isOver;
    },
    skip: () => undefined,
    collect: () => [],
    isRefused: () => isOver && posted === 0,
    posted: () => posted,
  };
}

/** The ack that carries the messages. */
export interface AckForm {
  /** The content of the ack with these answers. */
  readonly contentOf: (answers: readonly Recovery[]) => unknown;
  /** The content is sent as JSON text, so its escapes count. */
  readonly isText: boolean;
}

/** The first read is small, because each message may have 128 KB. It shows how many of the next rows fit. */
const firstRows = 4;

/** An offset that the answer names, with its comma. */
const skippedBytes = 13;

/** No answer of a channel is longer, but for its messages and skipped offsets. */
const longest = { offset: 10 ** 12, recovered: false, skipped: [], more: true, messages: [] } as const;

/**
 * Collects messages until the ack is full. A message that does not even fit alone, beside the positions of many channels
 * or with its escapes, goes to `posts`. One ack leaves at most one to it.
 */
export function createAckSink(epochs: readonly string[], { contentOf, isText }: AckForm, posts: Sink): Sink {
  const text = (value: unknown) => (isText ? JSON.stringify(value) : value);
  const empty = contentOf(epochs.map((epoch) => ({ ...longest, epoch })));
  // Each character of an id may be written as \u0001.
  const idBytes = 6 * maxFrameIdLength;
  const emptyBytes = Buffer.byteLength(ackFrame('', text(empty))) + idBytes;
  let bytesLeft = maxDownlinkFrameBytes - emptyBytes;
  let bytes = 0;
  let count = 0;
  let isFull = false;
  let messages: DurableFrame[] = [];
  return {
    rows(read) {
      if (isFull || read.rows === 0) return isFull ? 0 : firstRows;
      // If the next rows are like those before. An offset without a message takes less than a message, so it fits too.
      const bySize = count === 0 ? Infinity : bytesLeft / (bytes / count);
      const byReading = Math.ceil((read.bytesLeft * read.rows) / read.bytes);
      return Math.floor(Math.min(bySize, byReading));
    },
    async take(frame) {
      if (isFull) return false;
      const size = Buffer.byteLength(isText ? JSON.stringify(frame) : frame) + 1;
      isFull = size > bytesLeft;
      if (isFull) return count === 0 && (await posts.take(frame));
      bytesLeft -= size;
      bytes += size;
      count += 1;
      messages.push(JSON.parse(frame) as DurableFrame);
      return true;
    },
    skip(skipped) {
      bytesLeft -= skipped * skippedBytes;
    },
    collect() {
      const collected = messages;
      messages = [];
      return collected;
    },
    isRefused: posts.isRefused,
  };
}
