import type { ChatRequests, Conversation, Message, OwnConversation, Person, Reader } from '../shapes.ts';

/** The messages of a conversation from `first` to `newest`, without a gap. */
interface Loaded {
  readonly messages: Map<number, Message>;
  /** Older messages end here. `undefined`: all are loaded. */
  before: number | undefined;
  newest: number;
}

/** A conversation as the page knows it. */
export interface Known {
  conversation: OwnConversation;
  /** `undefined`: the conversation has not been opened. */
  loaded?: Loaded | undefined;
  /** How far each member has read. */
  readonly read: Map<string, number>;
  /** Who is typing, and until when that is shown. */
  readonly typing: Map<string, { readonly name: string; readonly until: number }>;
}

export type Page = ChatRequests['chat-message-list']['answer'];

/** What the page knows. It changes only here, and every change is told. */
export function createStore(me: Person, changed: () => void) {
  const known = new Map<string, Known>();
  let isListed = false;

  function entry(conversation: Conversation): Known {
    const old = known.get(conversation.conversation);
    const read = Math.max(
      old?.conversation.read ?? 0,
      'read' in conversation ? Number(conversation.read) : 0,
    );
    const own = { ...conversation, read, unread: Math.max(0, conversation.head - read) };
    const entry = old ?? { conversation: own, read: new Map(), typing: new Map() };
    // An announcement may have been overtaken by a message.
    const isOlder = conversation.head < entry.conversation.head;
    const { head, last, unread } = isOlder ? entry.conversation : own;
    entry.conversation = { ...own, head, unread, ...(last && { last }) };
    known.set(conversation.conversation, entry);
    return entry;
  }

  function put(loaded: Loaded, message: Message): void {
    const old = loaded.messages.get(message.offset);
    // A recalled message stays recalled, also when its text arrives after the recall.
    if (old && old.text === undefined) return;
    loaded.messages.set(message.offset, message);
  }

  function markRead(id: string, user: string, offset: number): void {
    const entry = known.get(id);
    if (!entry) return;
    entry.read.set(user, Math.max(entry.read.get(user) ?? 0, offset));
    if (user !== me.user || offset <= entry.conversation.read) return;
    const unread = Math.max(0, entry.conversation.head - offset);
    entry.conversation = { ...entry.conversation, read: offset, unread };
  }

  return {
    me,
    get isListed() {
      return isListed;
    },
    get: (id: string): Known | undefined => known.get(id),
    /** The newest first. A private conversation is shown from its first message on. */
    list: (open: string | undefined): readonly OwnConversation[] =>
      [...known.values()]
        .map(({ conversation }) => conversation)
        .filter(({ kind, head, conversation }) => kind !== 'private' || head > 0 || conversation === open)
        .sort((a, b) => (b.last?.sentAt ?? Infinity) - (a.last?.sentAt ?? Infinity)),

    /** All conversations of the user, as the server has them. */
    setList(conversations: readonly OwnConversation[]): void {
      const ids = new Set(conversations.map(({ conversation }) => conversation));
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      for (const conversation of conversations) entry(conversation);
      isListed = true;
      changed();
    },
    setConversation(conversation: Conversation): void {
      entry(conversation);
      changed();
    },
    drop(id: string): void {
      known.delete(id);
      changed();
    },

    setPage(id: string, page: Page, direction: 'newest' | 'older' | 'newer'): void {
      const entry = known.get(id);
      if (!entry) return;
      const loaded =
        direction === 'newest' || !entry.loaded
          ? { messages: new Map<number, Message>(), before: undefined, newest: 0 }
          : entry.loaded;
      for (const message of page.messages) put(loaded, message);
      if (direction !== 'newer') loaded.before = page.next;
      const reached = direction === 'newer' ? (page.next ?? page.head) : page.head;
      if (direction !== 'older') loaded.newest = Math.max(loaded.newest, reached);
      entry.loaded = loaded;
      changed();
    },

    /** Takes a message that was sent or recalled. Returns whether messages before it are missing. */
    add(message: Message): boolean {
      const { conversation: id, offset, from } = message;
      const entry = known.get(id);
      if (!entry) return false;
      const { conversation, loaded } = entry;
      const head = Math.max(conversation.head, offset);
      const isRecalled = conversation.last?.offset === head && conversation.last.text === undefined;
      const unread = Math.max(0, head - conversation.read);
      entry.conversation = {
        ...conversation,
        head,
        unread,
        ...(offset === head && !isRecalled && { last: message }),
      };
      entry.typing.delete(from.user);
      // Who writes has read what is above.
      markRead(id, from.user, offset);
      const isGap = loaded !== undefined && offset > loaded.newest + 1;
      if (loaded && !isGap) {
        put(loaded, message);
        loaded.newest = Math.max(loaded.newest, offset);
      }
      changed();
      return isGap;
    },

    setReaders(id: string, readers: readonly Reader[]): void {
      for (const { user, read } of readers) markRead(id, user, read);
      changed();
    },
    setRead(id: string, user: string, offset: number): void {
      markRead(id, user, offset);
      changed();
    },
    setTyping(id: string, { user, name }: Person, until: number): void {
      if (user === me.user) return;
      known.get(id)?.typing.set(user, { name, until });
      changed();
    },
    changed,
  };
}

export type Store = ReturnType<typeof createStore>;
