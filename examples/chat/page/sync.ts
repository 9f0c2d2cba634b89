import { SwitchboardError } from '@switchboard/client';
import { limits, topicOf } from '../limits.ts';
import type { OwnConversation } from '../shapes.ts';
import type { ChatClient } from './outbox.ts';
import type { Store } from './store.ts';

/** How many messages the first look at a conversation loads, and each look further back. */
const firstPage = 40;

/** Keeps what the page knows equal to what the server has. */
export function createSync(client: ChatClient, store: Store, onError: (error: SwitchboardError) => void) {
  const rooms = new Map<string, () => void>();
  /** One load at a time for each conversation. */
  const loading = new Set<string>();

  /** Room messages come by topic. Those of private conversations and groups come to the user. */
  function subscribe(conversations: readonly OwnConversation[]): void {
    const wanted = new Set(
      conversations.filter(({ kind }) => kind === 'room').map(({ conversation }) => conversation),
    );
    for (const [room, end] of rooms) {
      if (wanted.has(room)) continue;
      end();
      rooms.delete(room);
    }
    for (const room of wanted) {
      if (rooms.has(room)) continue;
      const subscription = client.subscribe(topicOf(room), () => undefined);
      // A refusal is an `error` event too.
      subscription.ready.catch(() => undefined);
      rooms.set(room, subscription);
    }
  }

  /** One after the other: an old answer must not replace a newer one. */
  let listing = Promise.resolve();
  const list = (): Promise<void> => (listing = listing.then(loadList, loadList));

  async function loadList(): Promise<void> {
    const all: OwnConversation[] = [];
    let after: string | undefined;
    do {
      const page = await client.send('chat-conversation-list', { after });
      all.push(...page.conversations);
      after = page.next;
    } while (after !== undefined);
    store.setList(all);
    subscribe(all);
  }

  async function readers(conversation: string): Promise<void> {
    let after: string | undefined;
    do {
      const page = await client.send('chat-member-list', { conversation, after });
      store.setReaders(conversation, page.members);
      after = page.next;
    } while (after !== undefined);
  }

  /** Loads messages unless some are being loaded. Errors of a lost connection are no news: it is open again soon. */
  async function load(conversation: string, direction: 'newest' | 'older' | 'newer'): Promise<void> {
    if (loading.has(conversation)) return;
    loading.add(conversation);
    try {
      const { before, newest } = store.get(conversation)?.loaded ?? {};
      const range = {
        newest: { limit: firstPage },
        older: { before, limit: limits.pageSize },
        newer: { after: newest },
      }[direction];
      store.setPage(
        conversation,
        await client.send('chat-message-list', { conversation, ...range }),
        direction,
      );
    } finally {
      loading.delete(conversation);
    }
    const { loaded, conversation: current } = store.get(conversation) ?? {};
    // More were said meanwhile, or one page does not hold all of them.
    if (direction !== 'older' && loaded && current && loaded.newest < current.head)
      await load(conversation, 'newer');
  }

  function report(error: unknown): void {
    if (!(error instanceof SwitchboardError)) throw error;
    if (!['disconnected', 'closed', 'queue_expired'].includes(error.code)) onError(error);
  }

  async function look(conversation: string): Promise<void> {
    const direction = store.get(conversation)?.loaded ? 'newer' : 'newest';
    await Promise.all([load(conversation, direction), readers(conversation)]);
  }

  return {
    /** After each connect: what has changed while there was none. */
    refresh(open: string | undefined): void {
      list()
        .then(() => (open !== undefined && store.get(open) ? look(open) : undefined))
        .catch(report);
    },
    list: (): void => void list().catch(report),
    open: (conversation: string): void => void look(conversation).catch(report),
    older: (conversation: string): void => void load(conversation, 'older').catch(report),
    newer: (conversation: string): void => void load(conversation, 'newer').catch(report),
    read(conversation: string, offset: number): void {
      client.send('chat-conversation-read', { conversation, offset }).catch(report);
    },
    typing(conversation: string): void {
      // A hint that is lost is not worth an error.
      client.send('chat-typing', { conversation }).catch(() => undefined);
    },
  };
}

export type Sync = ReturnType<typeof createSync>;
