import type { ChannelPage } from '../../protocol/index.ts';
import type { HeadRow, LogId } from './items.ts';
import type { ChannelReading } from './read.ts';

export interface ListingRequest {
  readonly log: LogId;
  /** Where it stands; `undefined` where it never began. */
  readonly head: HeadRow | undefined;
  /** Exclusive; 0 begins with the first message that is kept. */
  readonly after: number;
  readonly limit: number;
  /** What the frames of one page may have together, in bytes of UTF-8; a page has one in any case. */
  readonly maxBytes: number;
}

/** Rows that a read asks for at least where the one before has found too few: many in a row may have expired. */
const minRows = 100;
const maxReads = 10;

export type ListChannel = (request: ListingRequest) => Promise<ChannelPage>;

/**
 * A page of a channel's log, oldest first, for whoever asks for it rather than for a recovery. Where very many messages
 * have expired it may be empty and yet have a `next`.
 */
export function createListChannel({ channelReading }: { channelReading: ChannelReading }): ListChannel {
  return async ({ log, head, after, limit, maxBytes }) => {
    if (!head) return { messages: [], epoch: '', head: 0 };
    const messages: unknown[] = [];
    let offset = after;
    let bytes = 0;
    let isFull = false;
    for (let reads = 0; reads < maxReads && offset < head.offset && !isFull; reads += 1) {
      const rows = limit - messages.length;
      const page = await channelReading.page(log, head, offset, reads === 0 ? rows : Math.max(rows, minRows));
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
    return { messages, epoch: head.epoch, head: head.offset, ...(offset < head.offset && { next: offset }) };
  };
}
