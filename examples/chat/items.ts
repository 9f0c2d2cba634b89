import { createHash } from 'node:crypto';
import type { Key } from './table.ts';
import type { Conversation, Kind, Message, Person } from './shapes.ts';

/**
 * A conversation and its members in one item. So one conditional write decides each race: a message against the removal of
 * its sender, two members for one last place, two heirs of an owner.
 */
export interface ConversationRow extends Key {
  readonly conversation: string;
  readonly kind: Kind;
  readonly name?: string;
  readonly owner?: string;
  /** The names of the members, by user. */
  readonly members: Readonly<Record<string, string>>;
  /** The head at which each member came, by user. */
  readonly since: Readonly<Record<string, number>>;
  readonly head: number;
  /** The message at the head, with the beginning of its text. */
  readonly last?: Omit<Message, 'offset'>;
}

/** One message. A recalled one has no text. */
export interface MessageRow extends Message, Key {
  /** Epoch seconds. DynamoDB deletes the item within days of it. */
  readonly expiresAt: number;
}

/** The offset that a message has got. A retry of the message finds it here. */
export interface SentRow extends Key {
  readonly offset: number;
}

/** A conversation in the list of a member. `read` only rises. */
export interface MembershipRow extends Key {
  readonly conversation: string;
  readonly user: string;
  readonly read: number;
}

export interface RoomRow extends Key {
  readonly conversation: string;
  readonly name: string;
}

// No tenant, user or conversation holds a `#`.
export const conversationKey = (tenant: string, conversation: string): Key => ({
  pk: `CONVERSATION#${tenant}#${conversation}`,
  sk: 'CONVERSATION',
});
export const messageKey = (tenant: string, conversation: string, offset: number): Key => ({
  ...conversationKey(tenant, conversation),
  sk: `MESSAGE#${String(offset).padStart(12, '0')}`,
});
export const sentKey = (tenant: string, conversation: string, messageId: string): Key => ({
  ...conversationKey(tenant, conversation),
  sk: `SENT#${messageId}`,
});
export const membershipKey = (tenant: string, user: string, conversation: string): Key => ({
  pk: `USER#${tenant}#${user}`,
  sk: conversation,
});
export const roomKey = (tenant: string, conversation: string): Key => ({
  pk: `ROOMS#${tenant}`,
  sk: conversation,
});
export const personKey = (tenant: string, user: string): Key => ({ pk: `PEOPLE#${tenant}`, sk: user });

/** The range of the conversations, users or rooms of a partition that come after one. */
export function rangeAfter({ pk }: Pick<Key, 'pk'>, after = '') {
  // `!` sorts before each character of a name, and `~` after each.
  return { pk, from: `${after}!`, to: '~' };
}

/** The same two users always have the same private conversation. */
export function privateId(one: string, other: string): string {
  return `private:${digest([one, other].sort()).toString('base64url').slice(0, 22)}`;
}

/** A retry makes the same group. */
export function groupId(creator: string, clientId: string): string {
  return `group:${digest([creator, clientId]).toString('base64url').slice(0, 22)}`;
}

/** A UUID that follows from the parts, so that a retry has the same (RFC 9562, version 8). */
export function idOf(...parts: readonly string[]): string {
  const bytes = digest(parts).subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function digest(parts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}

const membersShown = 10;

/** What members see of a conversation. */
export function conversationOf(row: ConversationRow): Conversation {
  const { conversation, kind, name, owner, head, last } = row;
  const members = membersOf(row);
  return {
    conversation,
    kind,
    ...(name !== undefined && { name }),
    ...(owner !== undefined && { owner }),
    members: members.slice(0, membersShown),
    memberCount: members.length,
    head,
    ...(last && { last: { ...last, offset: head } }),
  };
}

/** The members, the longest one first. */
export function membersOf({ members, since }: Pick<ConversationRow, 'members' | 'since'>): readonly Person[] {
  return Object.entries(members)
    .map(([user, name]) => ({ user, name }))
    .sort((a, b) => (since[a.user] ?? 0) - (since[b.user] ?? 0) || (a.user < b.user ? -1 : 1));
}

export function messageOf(row: Message): Message {
  const { conversation, offset, messageId, clientId, from, sentAt, text } = row;
  const message = { conversation, offset, messageId, clientId, from, sentAt };
  return text === undefined ? message : { ...message, text };
}
