import type { ChannelPage } from '../../protocol/index.ts';
import type { LogReader } from './reader.ts';

export interface ListOptions {
  /** Exclusive; 0 begins with the first message that is kept. */
  readonly after: number;
  readonly limit: number;
  /** The most bytes of UTF-8 that the frames of one page have together. A larger message comes alone. */
  readonly maxBytes: number;
}

/** Many messages in a row may have expired. So each further read asks for at least as many rows. */
const minRows = 100;
const maxReads = 10;

/** A page of a log, oldest first. If very many messages have expired, it may be empty and still have a `next`. */
export async function listMessages(
  log: LogReader,
  { after, limit, maxBytes }: ListOptions,
): Promise<ChannelPage> {
  const messages: unknown[] = [];
  let offset = after;
  let bytes = 0;
  let isFull = false;
  for (let reads = 0; reads < maxReads && offset < log.newest && !isFull; reads += 1) {
    const rows = limit - messages.length;
    const page = await log.page(offset, reads === 0 ? rows : Math.max(rows, minRows));
    for (const message of page.messages) {
      bytes += Buffer.byteLength(message.frame) + 1;
      isFull = messages.length === limit || (bytes > maxBytes && messages.length > 0);
      if (isFull) break;
      messages.push(JSON.parse(message.frame));
      offset = message.offset;
    }
    if (!isFull) offset = page.offset;
    isFull ||= messages.length === limit;
  }
  return { messages, epoch: log.epoch, head: log.newest, ...(offset < log.newest && { next: offset }) };
}
