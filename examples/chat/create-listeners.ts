import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { defineListener, type Listener, type ListenerContext } from 'switchboard/listener';
import type * as z from 'zod/mini';
import { type Caller, callerOf } from './caller.ts';
import * as contents from './contents.ts';
import { createConversations } from './conversations.ts';
import { createMembers } from './members.ts';
import { createMessages } from './messages.ts';
import { createPeople } from './people.ts';
import type { ChatRequests } from './shapes.ts';
import { createTable } from './table.ts';

/** All message types of the chat. `now` is in epoch milliseconds. */
export function createListeners(parts: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly now: () => number;
}): Listener[] {
  const table = createTable(parts.db, parts.table);
  const people = createPeople(table);
  const conversations = createConversations(table, people);
  const members = createMembers(table, conversations, people);
  const messages = createMessages(table, conversations, parts.now);

  return [
    on('chat-conversation-list', contents.page, conversations.list),
    on('chat-conversation-read', contents.position, messages.read),
    on('chat-conversation-rename', contents.rename, conversations.rename),
    on('chat-conversation-leave', contents.inConversation, members.leave),
    on('chat-private-open', contents.withUser, conversations.openPrivate),
    on('chat-group-create', contents.group, conversations.createGroup),
    on('chat-room-create', contents.room, conversations.createRoom),
    on('chat-room-list', contents.page, conversations.rooms),
    on('chat-room-join', contents.inConversation, members.join),
    on('chat-member-list', contents.memberPage, members.list),
    on('chat-member-add', contents.member, members.add),
    on('chat-member-remove', contents.member, members.remove),
    on('chat-message-send', contents.message, messages.send),
    on('chat-message-list', contents.messagePage, messages.list),
    on('chat-message-recall', contents.position, messages.recall),
    on('chat-typing', contents.inConversation, messages.typing),
    on('chat-person-list', contents.page, ({ tenant }, { after }) => people.list(tenant, after)),
  ];
}

/** A listener whose content and ack are those of `ChatRequests`. */
function on<Type extends keyof ChatRequests>(
  type: Type,
  content: z.ZodMiniType<ChatRequests[Type]['content']>,
  handle: (caller: Caller, content: ChatRequests[Type]['content']) => Promise<ChatRequests[Type]['answer']>,
): Listener {
  return defineListener({
    type,
    content,
    handle: (context: ListenerContext<ChatRequests[Type]['content']>) =>
      handle(callerOf(context), context.content),
  });
}
