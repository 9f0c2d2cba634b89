import { type Client, SwitchboardError } from '@switchboard/client';
import type { ChatMessages, ChatRequests, Message } from '../shapes.ts';

export type ChatClient = Client<ChatMessages, ChatRequests>;

/** A message that the server has not acked. */
export interface Unsent {
  readonly conversation: string;
  readonly clientId: string;
  readonly text: string;
  readonly writtenAt: number;
  /** Why the server refuses it. Absent: it waits for its turn, or for a connection. */
  readonly refusal?: string;
}

/** After these the server may or may not have the message. It has an id of its own, so it may be sent again. */
const passing = [
  'disconnected',
  'timeout',
  'queue_full',
  'queue_expired',
  'rate_limited',
  'internal',
  'closed',
];

/**
 * Sends texts in the order of their writing, each until the server has it. They outlive a lost connection, and a reload of
 * the page.
 */
export function createOutbox({
  client,
  storage,
  key,
  sent,
  changed,
}: {
  readonly client: Pick<ChatClient, 'send' | 'status'>;
  readonly storage: Pick<Storage, 'getItem' | 'setItem'>;
  /** Where the user's texts are kept. */
  readonly key: string;
  readonly sent: (message: Message) => void;
  readonly changed: () => void;
}) {
  let unsent = JSON.parse(storage.getItem(key) ?? '[]') as readonly Unsent[];
  /** The conversations in which a message is on its way: frames of one client may overtake each other. */
  const busy = new Set<string>();

  function keep(next: readonly Unsent[]): void {
    unsent = next;
    storage.setItem(key, JSON.stringify(unsent));
    changed();
  }

  function pump(): void {
    if (client.status.state !== 'open') return;
    for (const message of unsent) {
      if (message.refusal !== undefined || busy.has(message.conversation)) continue;
      busy.add(message.conversation);
      void deliver(message);
    }
  }

  async function deliver(message: Unsent): Promise<void> {
    const { conversation, clientId, text } = message;
    const waitMs = await client.send('chat-message-send', { conversation, clientId, text }).then(
      (answer) => {
        unsent = unsent.filter((other) => other.clientId !== clientId);
        keep(unsent);
        sent(answer);
        return 0;
      },
      (error: unknown) => {
        if (!(error instanceof SwitchboardError)) throw error;
        if (passing.includes(error.code)) return error.retryAfterMs ?? 1000;
        keep(
          unsent.map((other) => (other.clientId === clientId ? { ...other, refusal: error.message } : other)),
        );
        return 0;
      },
    );
    setTimeout(() => {
      busy.delete(conversation);
      pump();
    }, waitMs);
  }

  return {
    of: (conversation: string): readonly Unsent[] =>
      unsent.filter((message) => message.conversation === conversation),
    write(conversation: string, text: string): void {
      // `crypto.randomUUID` is missing on pages without TLS.
      const random = crypto.getRandomValues(new Uint32Array(4));
      const clientId = Array.from(random, (part) => part.toString(36)).join('-');
      keep([...unsent, { conversation, clientId, text, writtenAt: Date.now() }]);
      pump();
    },
    retry: (clientId: string): void => {
      keep(
        unsent.map((message) => {
          const { refusal: _refusal, ...again } = message;
          return message.clientId === clientId ? again : message;
        }),
      );
      pump();
    },
    discard: (clientId: string): void => keep(unsent.filter((message) => message.clientId !== clientId)),
    /** Call it when the connection is open. */
    pump,
  };
}

export type Outbox = ReturnType<typeof createOutbox>;
