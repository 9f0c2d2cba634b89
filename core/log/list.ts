import * as z from 'zod/mini';
import { type ChannelPage, maxPageMessages, type ServerFrame } from '../../protocol/index.ts';
import { type ContentAs, frameFor } from '../content-form.ts';
import type { LogReader } from './reader.ts';

/**
 * Where a page begins, exclusive. `after`: oldest first; 0 begins with the first message that is kept. `before`: newest
 * first; `Infinity` begins with the newest.
 */
export type Start = { readonly after: number } | { readonly before: number };

/** Refuses a request that names both. */
export const oneStart = z.refine<{
  readonly after?: number | undefined;
  readonly before?: number | undefined;
}>(({ after, before }) => after === undefined || before === undefined, {
  path: ['before'],
  message: 'must not be given with after',
});

export interface ListOptions {
  readonly limit: number;
  /** The most bytes of UTF-8 that the frames of one page have together. A larger message comes alone. */
  readonly maxBytes: number;
  /** The form of content in the frames. @default - as receivers without a form of their own get it */
  readonly contentAs?: ContentAs | undefined;
}

/** The first read is small, because each message may have 128 KB. It shows how large they are. */
const firstRows = 8;

/** A page that has read as much ends, even if it found no message: many in a row may have expired. */
const maxBytesRead = 1024 * 1024;
const maxReads = 10;

/** A page of a log. If very many messages have expired, it may be empty and still have a `next`. */
export async function listMessages(
  log: LogReader,
  start: Start,
  { limit, maxBytes, contentAs }: ListOptions,
): Promise<ChannelPage> {
  const { first, isEnd, read } = walkFrom(start, log);
  const messages: ServerFrame[] = [];
  let offset = first;
  let bytes = 0;
  let bytesRead = 0;
  let isFull = false;

  /** As many rows as the page still has room for, if they are like those before. */
  function rowsToRead(): number {
    const rowsRead = Math.abs(offset - first);
    if (rowsRead === 0) return Math.min(limit, firstRows);
    const byBytes = (maxBytes - bytes) * (rowsRead / bytesRead);
    const byNumber = (limit - messages.length) * (rowsRead / messages.length);
    return Math.max(1, Math.ceil(Math.min(byBytes, byNumber, maxPageMessages)));
  }

  for (let reads = 0; reads < maxReads && !isEnd(offset) && !isFull; reads += 1) {
    const page = await read(offset, rowsToRead());
    bytesRead += page.bytesRead;
    for (const message of page.messages) {
      const frame = frameFor(message, contentAs);
      bytes += Buffer.byteLength(frame) + 1;
      isFull = messages.length === limit || (bytes > maxBytes && messages.length > 0);
      if (isFull) break;
      messages.push(JSON.parse(frame) as ServerFrame);
      offset = message.offset;
    }
    if (!isFull) offset = page.offset;
    isFull ||= messages.length === limit || bytesRead >= Math.max(maxBytes, maxBytesRead);
  }
  return { messages, epoch: log.epoch, head: log.newest, ...(!isEnd(offset) && { next: offset }) };
}

/** The way through the log in one of its two directions. */
function walkFrom(start: Start, { newest, page, pageBefore }: LogReader) {
  if ('after' in start)
    return { first: start.after, isEnd: (offset: number) => offset >= newest, read: page };
  const first = Math.min(start.before, newest + 1);
  return { first, isEnd: (offset: number) => offset <= 1, read: pageBefore };
}
