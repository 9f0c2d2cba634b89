import { connectionLifetimeMs, type Identity, type Session } from '../protocol/index.ts';
import { userOf } from './session-keys.ts';

/** What a delivery needs of a session. */
export interface Recipient {
  readonly connectionId: string;
  readonly identity: Identity;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  /** Partition of the subscription it was found by, where a topic led to it. */
  readonly topicKey?: string;
}

/** What every row of the sessions table holds of its connection. */
interface ConnectionRow {
  readonly pk: string;
  /** The connection id. */
  readonly sk: string;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  /** Epoch milliseconds. */
  readonly tokenExpiresAt: number;
}

export interface SessionRow extends ConnectionRow {
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly topics?: Set<string>;
}

/** Its pk is a topic's; so the user stands in the row. */
export interface SubscriptionRow extends ConnectionRow {
  readonly userType: string;
  readonly userId: string;
}

// After two hours a connection is certainly gone. The margin covers a slow handshake and clocks that differ.
const lifetimeWithMarginMs = connectionLifetimeMs + 10 * 60 * 1000;

/** TTL of a connection's rows, in epoch seconds. */
export function expiryOf(connectedAt: number): number {
  return Math.ceil((connectedAt + lifetimeWithMarginMs) / 1000);
}

/** The TTL removes rows within days, not seconds, and a token may have expired on an open connection. */
export function isOpen({ tokenExpiresAt, connectedAt }: ConnectionRow, now: number): boolean {
  return tokenExpiresAt > now && connectedAt + lifetimeWithMarginMs > now;
}

export function recipientOf(row: ConnectionRow | SubscriptionRow): Recipient {
  const { pk, sk: connectionId, connectedAt } = row;
  if (!('userId' in row)) return { connectionId, identity: userOf(pk), connectedAt };
  const { userType, userId } = row;
  const [, tenant = ''] = pk.split('#');
  return { connectionId, identity: { tenant, userType, userId }, connectedAt, topicKey: pk };
}

export function sessionOf(row: SessionRow): Session {
  const { sk: connectionId, connectedAt, tokenExpiresAt, sourceIp, userAgent } = row;
  const topics = [...(row.topics ?? [])].sort();
  return { connectionId, ...userOf(row.pk), connectedAt, tokenExpiresAt, topics, sourceIp, userAgent };
}
