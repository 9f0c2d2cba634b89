import { sendSigned } from '../publisher/signed-request.ts';

/** What a channel's log holds. */
export interface ChannelLog {
  readonly channel: string;
  readonly offsets: readonly number[];
  /** By offset. */
  readonly messageIds: ReadonlyMap<number, string>;
  /** Offsets that were taken and never written. */
  readonly holes: number;
}

interface Page {
  readonly messages: readonly { readonly offset: number; readonly messageId: string }[];
  readonly head: number;
  readonly next?: number;
}

/** Reads a log to its end by `GET /channels/{channel}/messages`. */
export async function readLog(url: string, channel: string): Promise<ChannelLog> {
  const messageIds = new Map<number, string>();
  let after: number | undefined = 0;
  let head = 0;
  while (after !== undefined) {
    const address = new URL(`${url}/channels/${encodeURIComponent(channel)}/messages`);
    address.search = new URLSearchParams({ after: String(after), limit: '1000' }).toString();
    const response = await sendSigned({ method: 'GET', url: address });
    if (!response.ok) throw new Error(`The log of ${channel} was not read: ${await response.text()}`);
    const page = (await response.json()) as Page;
    for (const { offset, messageId } of page.messages) messageIds.set(offset, messageId);
    ({ head, next: after } = page);
  }
  const offsets = [...messageIds.keys()].sort((a, b) => a - b);
  return { channel, offsets, messageIds, holes: head - offsets.length };
}
