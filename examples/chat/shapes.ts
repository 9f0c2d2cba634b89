/** What the frames of the chat carry. The listeners and the page share these types. */

/** A user of the chat. `user` is `<user type>:<user id>`, such as `member:42`. */
export interface Person {
  readonly user: string;
  readonly name: string;
}

export type Kind = 'private' | 'group' | 'room';

/** A message of a conversation. Times are epoch milliseconds. */
export interface Message {
  readonly conversation: string;
  /** Numbers the messages of a conversation, from 1. A number may be missing; none is used twice. */
  readonly offset: number;
  readonly messageId: string;
  /** The sender's own id of the message. A retry repeats it. */
  readonly clientId: string;
  readonly from: Person;
  readonly sentAt: number;
  /** Absent: the sender has recalled the message. */
  readonly text?: string;
}

/** What every member sees of a conversation. */
export interface Conversation {
  readonly conversation: string;
  readonly kind: Kind;
  /** Private conversations have none: each side shows the other's name. */
  readonly name?: string;
  /** Who renames the conversation, and adds and removes members. Private conversations have none. */
  readonly owner?: string;
  /** The first ten at most. */
  readonly members: readonly Person[];
  readonly memberCount: number;
  /** The offset of the newest message; 0 without one. */
  readonly head: number;
  /** The newest message, with the first 120 characters of its text. */
  readonly last?: Message;
}

/** A conversation as one of its members sees it. */
export interface OwnConversation extends Conversation {
  /** The user has read up to this offset. */
  readonly read: number;
  readonly unread: number;
}

/** A member, and how far the member has read. */
export interface Reader extends Person {
  readonly read: number;
}

/** The frames that a client sends: the content, and the content of the ack. */
export interface ChatRequests {
  'chat-conversation-list': {
    content: { readonly after?: string | undefined };
    answer: {
      readonly me: Person;
      readonly conversations: readonly OwnConversation[];
      readonly next?: string;
    };
  };
  'chat-conversation-read': {
    content: { readonly conversation: string; readonly offset: number };
    answer: { readonly conversation: string; readonly read: number };
  };
  'chat-private-open': { content: { readonly user: string }; answer: OwnConversation };
  'chat-group-create': {
    content: { readonly name: string; readonly users: readonly string[]; readonly clientId: string };
    answer: OwnConversation;
  };
  'chat-room-create': {
    content: { readonly room: string; readonly name: string };
    answer: OwnConversation;
  };
  'chat-room-list': {
    content: { readonly after?: string | undefined };
    answer: {
      readonly rooms: readonly { readonly conversation: string; readonly name: string }[];
      readonly next?: string;
    };
  };
  'chat-room-join': { content: { readonly conversation: string }; answer: OwnConversation };
  'chat-conversation-rename': {
    content: { readonly conversation: string; readonly name: string };
    answer: Conversation;
  };
  'chat-conversation-leave': {
    content: { readonly conversation: string };
    answer: { readonly conversation: string };
  };
  'chat-member-list': {
    content: { readonly conversation: string; readonly after?: string | undefined };
    answer: { readonly members: readonly Reader[]; readonly next?: string };
  };
  'chat-member-add': {
    content: { readonly conversation: string; readonly user: string };
    answer: Conversation;
  };
  'chat-member-remove': {
    content: { readonly conversation: string; readonly user: string };
    answer: Conversation;
  };
  'chat-message-send': {
    content: { readonly conversation: string; readonly clientId: string; readonly text: string };
    answer: Message;
  };
  'chat-message-list': {
    content: {
      readonly conversation: string;
      readonly before?: number | undefined;
      readonly after?: number | undefined;
      readonly limit?: number | undefined;
    };
    answer: { readonly messages: readonly Message[]; readonly head: number; readonly next?: number };
  };
  'chat-message-recall': {
    content: { readonly conversation: string; readonly offset: number };
    answer: Message;
  };
  'chat-typing': {
    content: { readonly conversation: string };
    answer: { readonly conversation: string };
  };
  'chat-person-list': {
    content: { readonly after?: string | undefined };
    answer: { readonly people: readonly Person[]; readonly next?: string };
  };
}

/** The frames that a client receives. */
export interface ChatMessages {
  'chat-message': Message;
  /** The message without its text. */
  'chat-recalled': Message;
  /** A conversation that is new, or whose name, owner or members have changed. */
  'chat-conversation': Conversation;
  /** The user is no longer a member. */
  'chat-left': { readonly conversation: string };
  /** A member has read up to the offset. */
  'chat-read': { readonly conversation: string; readonly user: string; readonly read: number };
  'chat-typing': { readonly conversation: string; readonly from: Person };
}
