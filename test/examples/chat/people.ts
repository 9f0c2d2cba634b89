import { callListener } from 'switchboard/testing';
import { createListeners } from '../../../examples/chat/create-listeners.ts';
import type { ChatRequests } from '../../../examples/chat/shapes.ts';
import type { LocalDynamoDB } from '../../dynamodb.ts';

export type Answer<Type extends keyof ChatRequests> = ChatRequests[Type]['answer'];

/** A chat on a table of its own, whose time the test sets. */
export async function startChat(dynamodb: LocalDynamoDB) {
  const { db } = dynamodb;
  const clock = { now: Date.UTC(2026, 10, 22) };
  // The keys of the chat's table are those of the state table.
  const { state: table } = await dynamodb.createTables();
  const listeners = createListeners({ db, table, now: () => clock.now });

  /** Sends a frame as a user. Resolves to the ack or the error, and to what others get. */
  async function call(userId: string, type: keyof ChatRequests, content: unknown, tenant = 'default') {
    const name = userId.charAt(0).toUpperCase() + userId.slice(1);
    const from = { userId, tenant };
    return callListener(listeners, { type, content }, { from, claims: { name }, topics: ['chat.room.*'] });
  }

  /** The ack of a frame that must succeed. */
  async function ask<Type extends keyof ChatRequests>(
    userId: string,
    type: Type,
    content: ChatRequests[Type]['content'],
  ): Promise<Answer<Type>> {
    const { ack, error } = await call(userId, type, content);
    if (error) throw new Error(`${type} of ${userId}: ${error.code} ${error.message}`);
    return ack as Answer<Type>;
  }

  /** The code and message of a frame that must be refused. */
  async function refused(userId: string, type: keyof ChatRequests, content: unknown): Promise<string> {
    const { error } = await call(userId, type, content);
    return error ? `${error.code}: ${error.message}` : 'it was not refused';
  }

  let count = 0;
  const say = (userId: string, conversation: string, text: string) =>
    ask(userId, 'chat-message-send', { conversation, text, clientId: `c${String((count += 1))}` });
  const texts = async (userId: string, conversation: string) =>
    (await ask(userId, 'chat-message-list', { conversation })).messages.map(
      ({ text }) => text ?? '(recalled)',
    );
  const group = (userId: string, ...users: readonly string[]) =>
    ask(userId, 'chat-group-create', {
      name: 'Team',
      clientId: `g${String((count += 1))}`,
      users: users.map((user) => `member:${user}`),
    });

  return { clock, call, ask, refused, say, texts, group, table };
}

export type Chat = Awaited<ReturnType<typeof startChat>>;
