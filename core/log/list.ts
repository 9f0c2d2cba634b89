import { type ChannelPage, maxPageMessages } from '../../protocol/index.ts';
import { type ContentAs, frameFor } from '../content-form.ts';
import type { LogReader } from './reader.ts';

export interface ListOptions {
  /** Exclusive; 0 begins with the first message that is kept. */
  readonly after: number;
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

/** A page of a log, oldest first. If very many messages have expired, it may be empty and still have a `next`. */
export async function listMessages(
  log: LogReader,
  { after, limit, maxBytes, contentAs }: ListOptions,
): Promise<ChannelPage> {
  const messages: unknown[] = [];
  let offset = after;
  let bytes = 0;
  let bytesRead = 0;
  let isFull = false;

  /** As many rows as the page still has room for, if they are like those before. */
  function rowsToRead(): number {
    const rowsRead = offset - after;
    if (rowsRead === 0) return Math.min(limit, firstRows);
    const byBytes = (maxBytes - bytes) * (rowsRead / bytesRead);
    const byNumber = (limit - messages.length) * (rowsRead / messages.length);
    return Math.max(1, Math.ceil(Math.min(byBytes, byNumber, maxPageMessages)));
  }

  for (let reads = 0; reads < maxReads && offset < log.newest && !isFull; reads += 1) {
    const page = await log.page(offset, rowsToRead());
    bytesRead += page.bytesRead;
    for (const message of page.messages) {
      const frame = frameFor(message, contentAs);
      bytes += Buffer.byteLength(frame) + 1;
      isFull = messages.length === limit || (bytes > maxBytes && messages.length > 0);
      if (isFull) break;
      messages.push(JSON.parse(frame));
      offset = message.offset;
    }
    if (!isFull) offset = page.offset;
    isFull ||= messages.length === limit || bytesRead >= Math.max(maxBytes, maxBytesRead);
  }
  return { messages, epoch: log.epoch, head: log.newest, ...(offset < log.newest && { next: offset }) };
}
