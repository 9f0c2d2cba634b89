import type { Identity } from '../protocol/index.ts';

/** Partition of a user's sessions: read consistently, so a publish right after open finds the new session. */
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

/** Sort key within an audience: a user type is a prefix of it. */
export function memberKey(userType: string, connectionId: string): string {
  return `${memberPrefix(userType)}${connectionId}`;
}

export function memberPrefix(userType: string): string {
  return `${userType}#`;
}

/** One of the partitions that together hold the subscribers of a topic. */
export function topicKey(tenant: string, topic: string, shard: number): string {
  return `TOPIC#${tenant}#${topic}#${String(shard)}`;
}

/**
 * The shard of a connection: the same for its audience and its topics, so that whatever targets of one publish it
 * matches, it falls into the same job. FNV-1a, 32 bits.
 */
export function shardOf(connectionId: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(connectionId)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % shards;
}
