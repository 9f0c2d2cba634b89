import type { InboxList, InboxPage, InboxRead, InboxUnread } from '../protocol/messages/inbox.ts';
import type { Emitter } from './emitter.ts';
import type { Outbox } from './outbox.ts';

export type { InboxPage, InboxRead } from '../protocol/messages/inbox.ts';

/** The durable log of the session's own user channel, and how far the user has read it. */
export interface Inbox {
  /** The messages after an offset (0: from the first that is kept), oldest first. */
  list(page?: InboxList): Promise<InboxPage>;
  /** How many messages the user has not read. */
  unread(): Promise<number>;
  /** Everything up to this offset is read, on all devices of the user. It never goes back. */
  markRead(offset: number): Promise<void>;
  /** The user has read on, here or on another device. Returns a function that ends the listening. */
  on(event: 'read', handler: (read: InboxRead) => void): () => void;
}

/** The inbox's frames. The answers are the server's, whose word on their shape is taken here. */
export function createInbox({ send }: Outbox, { on }: Emitter): Inbox {
  return {
    list: (page = {}) => send('inbox-list', page) as Promise<InboxPage>,
    unread: async () => ((await send('inbox-unread', {})) as InboxUnread).unread,
    markRead: (offset) => send('inbox-mark-read', { offset }) as Promise<void>,
    on: (event, handler) => on(`inbox-${event}`, handler),
  };
}
