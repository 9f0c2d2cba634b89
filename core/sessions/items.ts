import { connectionLifetimeMs, type Identity, type Session } from '../../protocol/index.ts';
import type { ContentAs } from '../content-form.ts';
import { isWatch } from './subscriptions/watches.ts';

/** Partition of a user's sessions. A consistent read finds a session right after it opens. */
export function userKey({ tenant, userType, userId }: Identity): string {
  return `USER#${tenant}#${userType}#${userId}`;
}

/** The user behind a `userKey`. No name holds a `#`, so the split is exact. */
export function userOf(key: string): Identity {
  const [, tenant = '', userType = '', userId = ''] = key.split('#');
  return { tenant, userType, userId };
}

/** One of the partitions that together hold everyone of a tenant. */
export function audienceKey(tenant: string, shard: number): string {
  return `AUDIENCE#${tenant}#${String(shard)}`;
}

/**
 * Sort key within an audience. It begins with the user type, so a prefix selects a type. It ends with the session's form
 * of content, if it has one: a table that exists can get no further attribute in its index, and a key is always there.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GlobalSecondaryIndexUpdate.html
 */
export function memberKey(userType: string, connectionId: string, contentAs?: ContentAs): string {
  const member = `${memberPrefix(userType)}${connectionId}`;
  return contentAs === undefined ? member : `${member}#${contentAs}`;
}

export function memberPrefix(userType: string): string {
  return `${userType}#`;
}

/**
 * One of the partitions that together hold the subscribers of a topic. Watches have a prefix of their own, so that the
 * filter of the table's stream leaves them out.
 */
export function topicKey(tenant: string, topic: string, shard: number): string {
  return `${isWatch(topic) ? 'WATCH' : 'TOPIC'}#${tenant}#${topic}#${String(shard)}`;
}

/**
 * The shard of a connection. Its session and its subscriptions are in the same shard, so one job of a publish holds all
 * its matches. The hash is FNV-1a with 32 bits.
 */
export function shardOf(connectionId: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(connectionId)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % shards;
}

/** The fields of a session that a delivery needs. */
export interface Recipient {
  readonly connectionId: string;
  readonly identity: Identity;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  /** Partition of the subscription that led to the session. Absent if the session was not found by a topic. */
  readonly topicKey?: string;
  /** The form in which the session takes content. Absent: it has none of its own. */
  readonly contentAs?: ContentAs | undefined;
}

/** The fields that every row of the sessions table has. */
interface ConnectionRow {
  readonly pk: string;
  /** The connection id. */
  readonly sk: string;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  /** Epoch milliseconds. */
  readonly tokenExpiresAt: number;
  /** Epoch milliseconds. The session has ended, and its connection is being closed. */
  readonly endedAt?: number;
}

export interface SessionRow extends ConnectionRow {
  /** A `memberKey`. */
  readonly member: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly topics?: Set<string>;
  /** Topics that a refresh took off the list, and whose rows may still be there. */
  readonly leaving?: Set<string>;
  /** JSON: what the token of the last refresh allows. Absent: the token of the handshake counts. */
  readonly grants?: string;
  /** Why the session ended. */
  readonly endReason?: string;
}

/** The `pk` names a topic, so the row names the user. */
export interface SubscriptionRow extends ConnectionRow {
  readonly userType: string;
  readonly userId: string;
  /** When this row was written, in epoch milliseconds. Rows of earlier versions do not tell. */
  readonly subscribedAt?: number;
  readonly contentAs?: ContentAs;
  /** Tells this write of the row from every other. Rows of earlier versions have none. */
  readonly nonce?: string;
}

// After two hours a connection is certainly gone. The margin covers a slow handshake and clocks that differ.
const lifetimeWithMarginMs = connectionLifetimeMs + 10 * 60 * 1000;

/** TTL of a connection's rows, in epoch seconds. */
export function expiryOf(connectedAt: number): number {
  return Math.ceil((connectedAt + lifetimeWithMarginMs) / 1000);
}

/** Every read checks this: TTL takes days to delete a row, and a token can expire on an open connection. */
export function isOpen(row: ConnectionRow, now: number): boolean {
  return row.endedAt === undefined && mayBeConnected(row, now);
}

/** Whether a connection may still be there to be closed: one that is open, or whose close failed after the mark. */
export function mayBeConnected({ tokenExpiresAt, connectedAt }: ConnectionRow, now: number): boolean {
  return tokenExpiresAt > now && connectedAt > oldestConnection(now);
}

/** API Gateway has ended every connection that opened by then, in epoch milliseconds. */
export function oldestConnection(now: number): number {
  return now - lifetimeWithMarginMs;
}

export function recipientOf(row: SessionRow | SubscriptionRow): Recipient {
  const { pk, sk: connectionId, connectedAt } = row;
  if (!('userId' in row))
    return { connectionId, identity: userOf(pk), connectedAt, contentAs: contentAsOf(row) };
  const { userType, userId, contentAs } = row;
  const [, tenant = ''] = pk.split('#');
  return { connectionId, identity: { tenant, userType, userId }, connectedAt, topicKey: pk, contentAs };
}

/** The form in which the session takes content. Rows of earlier versions have none. */
export function contentAsOf({ member }: Pick<SessionRow, 'member'>): ContentAs | undefined {
  const [, , form] = member.split('#');
  return form === 'text' || form === 'json' ? form : undefined;
}

export function sessionOf(row: SessionRow): Session {
  const { sk: connectionId, connectedAt, tokenExpiresAt, sourceIp, userAgent } = row;
  const topics = [...(row.topics ?? [])].filter((topic) => !isWatch(topic)).sort();
  return { connectionId, ...userOf(row.pk), connectedAt, tokenExpiresAt, topics, sourceIp, userAgent };
}
