import type { Frame } from '../client/index.ts';
import { sendSigned } from '../publisher/signed-request.ts';

/** The contents of a channel's log. */
export interface ChannelLog {
  readonly channel: string;
  /** The messages by offset. */
  readonly messages: ReadonlyMap<number, Frame>;
  /** The number of offsets that were taken and never written. A killed publisher leaves one. */
  readonly holes: number;
}

interface Page {
  readonly messages: readonly (Frame & { readonly offset: number })[];
  readonly head: number;
  readonly next?: number;
}

/** Reads a whole log with `GET /channels/{channel}/messages`. */
export async function readLog(url: string, channel: string): Promise<ChannelLog> {
  const messages = new Map<number, Frame>();
  let after: number | undefined = 0;
  let head = 0;
  while (after !== undefined) {
    const address = new URL(`${url}/channels/${encodeURIComponent(channel)}/messages`);
    address.search = new URLSearchParams({ after: String(after), limit: '1000' }).toString();
    const response = await sendSigned({ method: 'GET', url: address });
    if (!response.ok) throw new Error(`The log of ${channel} could not be read: ${await response.text()}`);
    const page = (await response.json()) as Page;
    for (const message of page.messages) messages.set(message.offset, message);
    ({ head, next: after } = page);
  }
  return { channel, messages, holes: head - messages.size };
}
