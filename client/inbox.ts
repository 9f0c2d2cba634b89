import type { InboxList, InboxPage, InboxRead, InboxUnread } from '../protocol/messages/inbox.ts';
import type { Emitter } from './emitter.ts';
import type { Outbox } from './sending/outbox.ts';

export type { InboxPage, InboxRead } from '../protocol/messages/inbox.ts';

/** The durable log of the session's own user channel, and how far the user has read it. */
export interface Inbox {
  /** The messages after an offset, oldest first. Offset 0 starts at the oldest kept message. */
  list(page?: InboxList): Promise<InboxPage>;
  /** How many messages the user has not read. */
  unread(): Promise<number>;
  /** Marks all messages up to this offset as read, on all devices of the user. The offset never goes back. */
  markRead(offset: number): Promise<void>;
  /** `read`: the user has read further, here or on another device. Returns a function that removes the handler. */
  on(event: 'read', handler: (read: InboxRead) => void): () => void;
}

/** Sends the inbox's frames. The shape of the answers is trusted, not checked. */
export function createInbox({ send }: Outbox, { on }: Emitter): Inbox {
  return {
    list: (page = {}) => send('inbox-list', page) as Promise<InboxPage>,
    unread: async () => ((await send('inbox-unread', {})) as InboxUnread).unread,
    markRead: (offset) => send('inbox-mark-read', { offset }) as Promise<void>,
    on: (event, handler) => on(`inbox-${event}`, handler),
  };
}
