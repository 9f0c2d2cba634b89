import { Refusal } from 'switchboard/listener';
import { announce, publish } from './announce.ts';
import type { Caller } from './caller.ts';
import type { Conversations } from './conversations.ts';
import {
  conversationKey,
  conversationOf,
  type ConversationRow,
  membershipKey,
  type MembershipRow,
  membersOf,
} from './items.ts';
import { limits } from './limits.ts';
import { fitting } from './pages.ts';
import type { People } from './people.ts';
import type { ChatRequests, Reader } from './shapes.ts';
import type { ChatTable } from './table.ts';

type Asked<Type extends keyof ChatRequests> = ChatRequests[Type]['content'];

/** A leaving owner whose heirs leave at the same time tries so often. */
const attempts = 10;

/** Who belongs to a conversation. */
export type Members = ReturnType<typeof createMembers>;

export function createMembers(table: ChatTable, conversations: Conversations, people: People) {
  /** Adds a member under a condition, at the present head. `undefined`: it did not hold, or there is no place. */
  async function admit(
    { tenant, me }: Caller,
    { conversation, user, name }: { conversation: string; user: string; name: string },
    { limit, write, when }: { limit: number; write: string; when: string },
  ): Promise<ConversationRow | undefined> {
    await conversations.enlist(tenant, user, conversation);
    const isFree = 'attribute_not_exists(#members.#user) AND size(#members) < :limit';
    return table.update<ConversationRow>(conversationKey(tenant, conversation), {
      write: `SET #members.#user = :name, #since.#user = #head${write}`,
      when: `${isFree} AND ${when}`,
      names: { '#user': user },
      values: { ':name': name, ':limit': limit, ':me': me.user },
    });
  }

  /** Tries to let the user go. `undefined`: the conversation has changed meanwhile. */
  function release({ tenant, me }: Caller, row: ConversationRow): Promise<ConversationRow | undefined> {
    const key = conversationKey(tenant, row.conversation);
    const out = 'REMOVE #members.#me, #since.#me';
    const isMember = 'attribute_exists(#members.#me)';
    const names = { '#me': me.user };
    const values = { ':me': me.user };
    if (row.owner !== me.user)
      return table.update<ConversationRow>(key, {
        write: out,
        when: `${isMember} AND (attribute_not_exists(#owner) OR #owner <> :me)`,
        names,
        values,
      });
    const heir = membersOf(row).find(({ user }) => user !== me.user);
    if (!heir)
      return table.update<ConversationRow>(key, {
        write: `${out}, #owner`,
        when: `${isMember} AND size(#members) = :one`,
        names,
        values: { ':one': 1 },
      });
    return table.update<ConversationRow>(key, {
      write: `SET #owner = :heir ${out}`,
      when: `${isMember} AND #owner = :me AND attribute_exists(#members.#heir)`,
      names: { ...names, '#heir': heir.user },
      values: { ...values, ':heir': heir.user },
    });
  }

  async function join(caller: Caller, { conversation }: Asked<'chat-room-join'>) {
    const room = await conversations.readable(caller, conversation);
    if (room.kind !== 'room') return conversations.ownConversation(caller, room);
    const joined = await admit(
      caller,
      { conversation, ...caller.me },
      {
        limit: limits.roomMembers,
        write: ', #owner = if_not_exists(#owner, :me)',
        when: 'attribute_exists(pk)',
      },
    );
    if (joined) await announce(caller, joined);
    const current = joined ?? (await conversations.readable(caller, conversation));
    if (current.members[caller.me.user] === undefined)
      throw Refusal.at('conflict', 'content.conversation', `is full: ${limits.roomMembers} members`);
    return conversations.ownConversation(caller, current);
  }

  async function add(caller: Caller, { conversation, user }: Asked<'chat-member-add'>) {
    const current = await conversations.own(caller, conversation);
    if (current.owner !== caller.me.user) throw await conversations.notOwner(caller, conversation);
    if (current.kind !== 'group')
      throw Refusal.at('forbidden', 'content.conversation', 'is no group; people join rooms by themselves');
    const { [user]: name = user } = await people.names(caller.tenant, [user]);
    const admitted = await admit(
      caller,
      { conversation, user, name },
      { limit: limits.groupMembers, write: '', when: '#owner = :me' },
    );
    if (admitted) {
      await announce(caller, admitted);
      return conversationOf(admitted);
    }
    const now = await conversations.own(caller, conversation);
    if (now.members[user] !== undefined) return conversationOf(now);
    if (now.owner !== caller.me.user) throw await conversations.notOwner(caller, conversation);
    throw Refusal.at('conflict', 'content.conversation', `is full: ${limits.groupMembers} members`);
  }

  async function remove(caller: Caller, { conversation, user }: Asked<'chat-member-remove'>) {
    const { tenant, me } = caller;
    if (user === me.user)
      throw Refusal.at('bad_content', 'content.user', 'is yourself; leave the conversation');
    const removed = await table.update<ConversationRow>(conversationKey(tenant, conversation), {
      write: 'REMOVE #members.#user, #since.#user',
      when: '#owner = :me AND attribute_exists(#members.#user)',
      names: { '#user': user },
      values: { ':me': me.user },
    });
    if (!removed) {
      const current = await conversations.own(caller, conversation);
      if (current.owner !== me.user) throw await conversations.notOwner(caller, conversation);
      return conversationOf(current);
    }
    await announce(caller, removed);
    await publish(caller, [`user:${user}`], 'chat-left', { conversation });
    return conversationOf(removed);
  }

  /** Who leaves hands a conversation of one's own to the longest member. Who has left may say so again. */
  async function leave(caller: Caller, { conversation }: Asked<'chat-conversation-leave'>) {
    const { tenant, me } = caller;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const row = await table.get<ConversationRow>(conversationKey(tenant, conversation));
      if (row?.members[me.user] === undefined) return { conversation };
      if (row.kind === 'private')
        throw Refusal.at('forbidden', 'content.conversation', 'is private: nobody leaves it');
      const left = await release(caller, row);
      if (!left) continue;
      await announce(caller, left);
      await publish(caller, [`user:${me.user}`], 'chat-left', { conversation });
      return { conversation };
    }
    throw new Refusal('rate_limited', 'Many members leave at once; try again.', [], 1000);
  }

  /** The members by their ids, and how far each has read. */
  async function list(caller: Caller, { conversation, after = '' }: Asked<'chat-member-list'>) {
    const row = await conversations.readable(caller, conversation);
    const users = Object.keys(row.members)
      .sort()
      .filter((user) => user > after)
      .slice(0, limits.pageSize);
    const keys = users.map((user) => membershipKey(caller.tenant, user, conversation));
    const marks = new Map((await table.getAll<MembershipRow>(keys)).map(({ user, read }) => [user, read]));
    const readers = users.map((user): Reader => ({
      user,
      name: row.members[user] ?? user,
      read: marks.get(user) ?? 0,
    }));
    const { items, next } = fitting(readers, limits.pageSize, ({ user }) => user);
    return { members: items, ...next };
  }

  return { join, add, remove, leave, list };
}
