import { Refusal } from 'switchboard/listener';
import { audienceOf, publish, readAudienceOf } from './announce.ts';
import { type Caller, notFound } from './caller.ts';
import type { Conversations } from './conversations.ts';
import {
  conversationKey,
  type ConversationRow,
  idOf,
  membershipKey,
  type MembershipRow,
  messageKey,
  messageOf,
  type MessageRow,
  sentKey,
  type SentRow,
} from './items.ts';
import { limits } from './limits.ts';
import { fitting } from './pages.ts';
import type { ChatRequests, Message } from './shapes.ts';
import type { ChatTable } from './table.ts';

type Asked<Type extends keyof ChatRequests> = ChatRequests[Type]['content'];

const previewLength = 120;
const daySeconds = 86_400;

/** The offset of a message, and the conversation with the members who get it. */
interface Taken {
  readonly offset: number;
  readonly row: ConversationRow;
}

/** The messages of conversations. `now` is in epoch milliseconds. */
export type Messages = ReturnType<typeof createMessages>;

export function createMessages(table: ChatTable, conversations: Conversations, now: () => number) {
  const expiry = (days: number) => Math.ceil(now() / 1000) + days * daySeconds;

  /** Takes the next offset, if the sender is a member: in one write, so nobody sends who has left. */
  async function take({ tenant, me }: Caller, message: Omit<Message, 'offset'>): Promise<Taken> {
    const { conversation, messageId, text = '' } = message;
    const taken = await table.update<ConversationRow>(conversationKey(tenant, conversation), {
      // The sender's name may have changed since the sender came.
      write: 'SET #head = #head + :one, #last = :last, #members.#me = :name',
      when: 'attribute_exists(#members.#me)',
      names: { '#me': me.user },
      values: { ':one': 1, ':last': { ...message, text: preview(text) }, ':name': me.name },
    });
    if (!taken) throw notFound();
    const key = sentKey(tenant, conversation, messageId);
    const { head: offset } = taken;
    if (await table.add({ ...key, offset, expiresAt: expiry(limits.retryDays) }))
      return { offset, row: taken };
    // The same message is being sent twice at once. The other one has its offset; this one stays empty.
    return { offset: (await table.get<SentRow>(key))?.offset ?? offset, row: taken };
  }

  /** What an earlier try has taken. */
  async function again(tenant: string, conversation: string, { offset }: SentRow): Promise<Taken> {
    const row = await table.get<ConversationRow>(conversationKey(tenant, conversation));
    if (!row) throw notFound();
    return { offset, row };
  }

  /** Stores the message where its offset says. A retry finds it there. */
  async function store({ tenant }: Caller, message: Message): Promise<Message> {
    const key = messageKey(tenant, message.conversation, message.offset);
    if (await table.add({ ...key, ...message, expiresAt: expiry(limits.messageDays) })) return message;
    const stored = await table.get<MessageRow>(key);
    if (stored?.text !== undefined && stored.text !== message.text)
      throw Refusal.at('conflict', 'content.clientId', 'was used for another text');
    return stored ? messageOf(stored) : message;
  }

  /** Whether the mark has moved: it only rises. */
  async function markRead({ tenant, me }: Caller, conversation: string, offset: number): Promise<boolean> {
    const marked = await table.update<MembershipRow>(membershipKey(tenant, me.user, conversation), {
      write: 'SET #read = :offset',
      when: '#read < :offset',
      values: { ':offset': offset },
    });
    return marked !== undefined;
  }

  /** Sends a text once, however often the client tries. */
  async function send(
    caller: Caller,
    { conversation, clientId, text }: Asked<'chat-message-send'>,
  ): Promise<Message> {
    const { tenant, me } = caller;
    if (conversation.startsWith('room:') && !caller.mayRead(conversation)) throw notFound();
    const messageId = idOf(tenant, conversation, me.user, clientId);
    const draft = { conversation, messageId, clientId, from: me, sentAt: now(), text };
    const sent = await table.get<SentRow>(sentKey(tenant, conversation, messageId));
    const { offset, row } = sent ? await again(tenant, conversation, sent) : await take(caller, draft);
    const message = await store(caller, { ...draft, offset });
    if (message.text === undefined) return message;
    await Promise.all([
      // Who writes has read what is above. The mark also keeps one's own message from counting as unread.
      markRead(caller, conversation, offset),
      publish(caller, audienceOf(row), 'chat-message', message, messageId),
    ]);
    return message;
  }

  /** The messages that the user may read: in a group, those since the user came. The newest first, unless `after` is given. */
  async function list(caller: Caller, asked: Asked<'chat-message-list'>) {
    const { conversation, before, after, limit = limits.pageSize } = asked;
    if (before !== undefined && after !== undefined)
      throw Refusal.at('bad_content', 'content.after', 'must be absent if before is given');
    const row = await conversations.readable(caller, conversation);
    const since = row.kind === 'room' ? 0 : (row.since[caller.me.user] ?? 0);
    const { pk, sk: from } = messageKey(caller.tenant, conversation, Math.max(since, after ?? 0) + 1);
    const { sk: to } = messageKey(
      caller.tenant,
      conversation,
      Math.min(before ?? Infinity, row.head + 1) - 1,
    );
    const rows = await table.range<MessageRow>({ pk, from, to, limit, newestFirst: after === undefined });
    const { items, next } = fitting(rows, limit, ({ offset }) => offset);
    // DynamoDB deletes expired items late.
    const kept = items.filter(({ expiresAt }) => expiresAt * 1000 > now());
    return { messages: kept.map(messageOf), head: row.head, ...next };
  }

  /** Takes the text of one's own message back, everywhere. Recalling it again changes nothing. */
  async function recall(
    caller: Caller,
    { conversation, offset }: Asked<'chat-message-recall'>,
  ): Promise<Message> {
    const { tenant, me } = caller;
    const row = await conversations.own(caller, conversation);
    const key = messageKey(tenant, conversation, offset);
    const recalled = await table.update<MessageRow>(key, {
      write: 'REMOVE #text',
      when: '#from.#user = :me AND attribute_exists(#text) AND #sentAt >= :earliest',
      values: { ':me': me.user, ':earliest': now() - limits.recallWithinMs },
    });
    const current = recalled ?? (await table.get<MessageRow>(key));
    if (!current || (row.kind !== 'room' && offset <= (row.since[me.user] ?? 0)))
      throw Refusal.at('not_found', 'content.offset', 'is no message of this conversation');
    if (current.from.user !== me.user)
      throw Refusal.at('forbidden', 'content.offset', 'is a message of someone else');
    if (current.text !== undefined)
      throw Refusal.at('conflict', 'content.offset', 'is older than 2 minutes and can no longer be recalled');
    const message = messageOf(current);
    await table.update(conversationKey(tenant, conversation), {
      write: 'REMOVE #last.#text',
      when: '#last.#messageId = :id',
      values: { ':id': message.messageId },
    });
    const id = idOf('recalled', message.messageId);
    await publish(caller, audienceOf(row), 'chat-recalled', message, id);
    return message;
  }

  /** Marks all up to an offset as read, on all devices of the user. */
  async function read(caller: Caller, { conversation, offset }: Asked<'chat-conversation-read'>) {
    const { tenant, me } = caller;
    const row = await conversations.own(caller, conversation);
    if (offset > row.head)
      throw Refusal.at('bad_content', 'content.offset', `must be at most ${row.head}, the newest offset`);
    if (await markRead(caller, conversation, offset)) {
      const read = { conversation, user: me.user, read: offset };
      await publish(caller, readAudienceOf(row, me.user), 'chat-read', read);
      return { conversation, read: offset };
    }
    const marked = await table.get<MembershipRow>(membershipKey(tenant, me.user, conversation));
    return { conversation, read: marked?.read ?? 0 };
  }

  /** Tells the others that the user is writing. It is kept nowhere. */
  async function typing(caller: Caller, { conversation }: Asked<'chat-typing'>) {
    const row = await conversations.own(caller, conversation);
    const others = audienceOf(row).filter((target) => target !== `user:${caller.me.user}`);
    await publish(caller, others, 'chat-typing', { conversation, from: caller.me });
    return { conversation };
  }

  return { send, list, recall, read, typing };
}

function preview(text: string): string {
  return Array.from(text).slice(0, previewLength).join('');
}
