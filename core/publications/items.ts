import { publicationLifetimeMs } from '../../protocol/index.ts';

export interface PublicationId {
  readonly tenant: string;
  readonly messageId: string;
}

/** Partition of a publication's record and of its shards' rows. UUIDs are equal in either case of their letters. */
export function publicationKey({ tenant, messageId }: PublicationId): string {
  return `PUBLICATION#${tenant}#${messageId.toLowerCase()}`;
}

export const recordSortKey = 'META';

/** Four digits, so that shards sort as they count. */
export function shardSortKey(shard: number): string {
  return `SHARD#${String(shard).padStart(4, '0')}`;
}

/**
 * Partition of the recipients' rows of one shard. Not the publication's own: a fan-out writes thousands in a second,
 * and one partition takes 1,000.
 */
export function reportKey({ tenant, messageId }: PublicationId, shard: number): string {
  return `RECIPIENTS#${tenant}#${messageId.toLowerCase()}#${String(shard)}`;
}

/** TTL of all of a publication's rows, in epoch seconds. */
export function recordExpiry(now: number): number {
  return Math.ceil((now + publicationLifetimeMs) / 1000);
}
