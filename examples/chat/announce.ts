import { type ListenerContext, Refusal } from 'switchboard/listener';
import type { Caller } from './caller.ts';
import { conversationOf, type ConversationRow, membersOf } from './items.ts';
import { limits, topicOf } from './limits.ts';
import type { ChatMessages } from './shapes.ts';

/** Who gets the frames of a conversation: the subscribers of a room, or else each member. */
export function audienceOf({ conversation, kind, members }: ConversationRow): readonly string[] {
  if (kind === 'room') return [`topic:${topicOf(conversation)}`];
  // Sorted: a retry of a publish must have the same body.
  return Object.keys(members)
    .sort()
    .map((user) => `user:${user}`);
}

/** Shows the conversation to its members as it is now. */
export async function announce(caller: Caller, row: ConversationRow): Promise<void> {
  await publish(caller, audienceOf(row), 'chat-conversation', conversationOf(row));
}

/** Who hears how far a user has read: the user's other devices, and the members or the author of the newest message. */
export function readAudienceOf(row: ConversationRow, me: string): readonly string[] {
  const members = membersOf(row).map(({ user }) => user);
  const others = members.length <= limits.readersToldToAll ? members : [row.last?.from.user ?? me];
  return [...new Set([me, ...others])].map((user) => `user:${user}`);
}

/** A frame with an id is published once, however often the same frame of a client is tried again. */
export async function publish<Type extends keyof ChatMessages>(
  { send }: Pick<Caller, 'send'>,
  to: readonly string[],
  type: Type,
  content: ChatMessages[Type],
  messageId?: string,
): Promise<void> {
  if (to.length === 0) return;
  const options: Parameters<ListenerContext<unknown>['send']>[3] =
    messageId === undefined ? {} : { messageId };
  try {
    await send(to, type, content, options);
  } catch (cause) {
    // The first try has published it, when the conversation had other members.
    if (messageId !== undefined && cause instanceof Refusal && cause.code === 'conflict') return;
    throw cause;
  }
}
