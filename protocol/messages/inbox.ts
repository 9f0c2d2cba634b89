import type { ServerFrame } from './frames.ts';

/** The content of `inbox-list`. */
export interface InboxList {
  /** Lists the messages after this offset. 0, the default, starts at the first message that is kept. */
  readonly after?: number;
  readonly limit?: number;
}

/** A page of the inbox, oldest message first: the content of the ack of `inbox-list`. */
export interface InboxPage {
  readonly messages: readonly ServerFrame[];
  /** The life of the log. Empty where the user never had a durable message. */
  readonly epoch: string;
  /** The offset of the newest message. */
  readonly head: number;
  readonly readOffset: number;
  /** The `after` of the next page. The last page has none. */
  readonly next?: number;
}

/** The content of the ack of `inbox-unread`. */
export interface InboxUnread {
  readonly unread: number;
  /** There are more than were counted. */
  readonly more?: true;
}

/** How far the user has read: the content of `inbox-read`, and of the ack of `inbox-mark-read`. */
export interface InboxRead {
  readonly readOffset: number;
}
