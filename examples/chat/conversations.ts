import { Refusal } from 'switchboard/listener';
import { announce } from './announce.ts';
import { type Caller, notFound } from './caller.ts';
import {
  conversationKey,
  conversationOf,
  type ConversationRow,
  groupId,
  membershipKey,
  type MembershipRow,
  privateId,
  rangeAfter,
  roomKey,
  type RoomRow,
} from './items.ts';
import { limits } from './limits.ts';
import type { People } from './people.ts';
import { fitting } from './pages.ts';
import type { ChatRequests, Conversation, OwnConversation } from './shapes.ts';
import type { ChatTable } from './table.ts';

type Asked<Type extends keyof ChatRequests> = ChatRequests[Type]['content'];

/** The private conversations, groups and rooms. */
export type Conversations = ReturnType<typeof createConversations>;

export function createConversations(table: ChatTable, people: People) {
  async function row({ tenant }: Caller, conversation: string): Promise<ConversationRow | undefined> {
    return table.get<ConversationRow>(conversationKey(tenant, conversation));
  }

  /** The conversation, for one of its members. */
  async function own(caller: Caller, conversation: string): Promise<ConversationRow> {
    const found = await row(caller, conversation);
    if (found?.members[caller.me.user] === undefined) throw notFound();
    return found;
  }

  /** The conversation, for who may read it: a member, or in a room everyone whose token allows its topic. */
  async function readable(caller: Caller, conversation: string): Promise<ConversationRow> {
    const found = await row(caller, conversation);
    if (found?.kind === 'room' ? caller.mayRead(conversation) : found?.members[caller.me.user] !== undefined)
      return found as ConversationRow;
    throw notFound();
  }

  /** Puts the conversation into the lists of its members, then makes it. One that exists stays as it is. */
  async function create(
    caller: Caller,
    made: Pick<Conversation, 'conversation' | 'kind' | 'name' | 'owner'>,
    users: readonly string[],
  ): Promise<OwnConversation> {
    const { tenant, me } = caller;
    const { conversation } = made;
    const key = conversationKey(tenant, conversation);
    const members = { ...(await people.names(tenant, [...new Set(users)])), [me.user]: me.name };
    const all = Object.keys(members);
    // The lists come first: a list shows only what exists, but nobody would look for what no list has.
    await Promise.all(all.map((user) => enlist(tenant, user, conversation)));
    const since = Object.fromEntries(all.map((user) => [user, 0]));
    const fresh: ConversationRow = { ...key, ...made, members, since, head: 0 };
    const isNew = await table.add({ ...fresh });
    const current = isNew ? fresh : await row(caller, conversation);
    if (current?.members[me.user] === undefined) throw made.kind === 'room' ? roomExists() : notFound();
    if (isNew) await announce(caller, current);
    return ownConversation(caller, current);
  }

  async function enlist(tenant: string, user: string, conversation: string): Promise<void> {
    await table.add({ ...membershipKey(tenant, user, conversation), conversation, user, read: 0 });
  }

  async function ownConversation(caller: Caller, current: ConversationRow): Promise<OwnConversation> {
    const key = membershipKey(caller.tenant, caller.me.user, current.conversation);
    return withReading(current, await table.get<MembershipRow>(key), caller.me.user);
  }

  function openPrivate(caller: Caller, { user }: Asked<'chat-private-open'>) {
    if (user === caller.me.user) throw Refusal.at('bad_content', 'content.user', 'must not be yourself');
    return create(caller, { conversation: privateId(caller.me.user, user), kind: 'private' }, [user]);
  }

  function createGroup(caller: Caller, { name, users, clientId }: Asked<'chat-group-create'>) {
    if (new Set([...users, caller.me.user]).size > limits.groupMembers)
      throw Refusal.at(
        'bad_content',
        'content.users',
        `must leave the group at ${limits.groupMembers} members`,
      );
    const conversation = groupId(caller.me.user, clientId);
    return create(caller, { conversation, kind: 'group', name, owner: caller.me.user }, users);
  }

  async function createRoom(caller: Caller, { room, name }: Asked<'chat-room-create'>) {
    const conversation = `room:${room}`;
    if (!caller.mayRead(conversation))
      throw Refusal.at('forbidden', 'content.room', 'is not among the topics of your token');
    const owner = caller.me.user;
    const made = await create(caller, { conversation, kind: 'room', name, owner }, []);
    // A retry of the owner finds the owner's own room.
    if (made.owner !== owner) throw roomExists();
    await table.add({ ...roomKey(caller.tenant, conversation), conversation, name: made.name });
    return made;
  }

  async function rename(caller: Caller, { conversation, name }: Asked<'chat-conversation-rename'>) {
    const renamed = await table.update<ConversationRow>(conversationKey(caller.tenant, conversation), {
      write: 'SET #name = :name',
      when: '#owner = :me',
      values: { ':name': name, ':me': caller.me.user },
    });
    if (!renamed) throw await notOwner(caller, conversation);
    if (renamed.kind === 'room')
      await table.put({ ...roomKey(caller.tenant, conversation), conversation, name });
    await announce(caller, renamed);
    return conversationOf(renamed);
  }

  /** The conversations of the user, by their ids. */
  async function list(caller: Caller, { after }: Asked<'chat-conversation-list'>) {
    const { tenant, me } = caller;
    if (after === undefined) await people.note(tenant, me);
    const range = rangeAfter(membershipKey(tenant, me.user, ''), after);
    const memberships = await table.range<MembershipRow>({ ...range, limit: limits.listSize });
    const keys = memberships.map(({ conversation }) => conversationKey(tenant, conversation));
    const rows = new Map(
      (await table.getAll<ConversationRow>(keys)).map((found) => [found.conversation, found]),
    );
    const listed = memberships.map((membership) => {
      const found = rows.get(membership.conversation);
      // Who has left keeps the entry: deleting it could undo an invitation of the same moment.
      const isMember = found?.members[me.user] !== undefined;
      return { id: membership.sk, shown: isMember ? [withReading(found, membership, me.user)] : [] };
    });
    const { items, next } = fitting(listed, limits.listSize, ({ id }) => id);
    return { me, conversations: items.flatMap(({ shown }) => shown), ...next };
  }

  async function rooms({ tenant, mayRead }: Caller, { after }: Asked<'chat-room-list'>) {
    const range = rangeAfter(roomKey(tenant, ''), after);
    const found = await table.range<RoomRow>({ ...range, limit: limits.listSize });
    const { items, next } = fitting(found, limits.listSize, ({ sk }) => sk);
    const open = items.filter(({ conversation }) => mayRead(conversation));
    return { rooms: open.map(({ conversation, name }) => ({ conversation, name })), ...next };
  }

  /** Why the caller may not do what only the owner may. */
  async function notOwner(caller: Caller, conversation: string): Promise<Refusal> {
    await own(caller, conversation);
    return Refusal.at('forbidden', 'content.conversation', 'is changed by its owner only');
  }

  return {
    own,
    readable,
    enlist,
    ownConversation,
    notOwner,
    openPrivate,
    createGroup,
    createRoom,
    rename,
    list,
    rooms,
  };
}

function roomExists(): Refusal {
  return Refusal.at('conflict', 'content.room', 'exists; join it');
}

function withReading(
  current: ConversationRow,
  membership: MembershipRow | undefined,
  user: string,
): OwnConversation {
  // Nobody has to read what was said before one came.
  const read = Math.max(membership?.read ?? 0, current.since[user] ?? 0);
  return { ...conversationOf(current), read, unread: Math.max(0, current.head - read) };
}
