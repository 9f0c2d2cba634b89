import { publicationLifetimeMs } from '../../protocol/index.ts';
import { scheduleKeptMs } from '../timing.ts';

export interface PublicationId {
  readonly tenant: string;
  readonly messageId: string;
}

/** Partition of a publication's record and of its shards' rows. A UUID means the same in upper and lower case. */
export function publicationKey({ tenant, messageId }: PublicationId): string {
  return `PUBLICATION#${tenant}#${messageId.toLowerCase()}`;
}

export const recordSortKey = 'META';

/** The key of a publication's record in the state table. */
export function recordKey(id: PublicationId) {
  return { pk: publicationKey(id), sk: recordSortKey };
}

/** Four digits, so that shards sort by number. */
export function shardSortKey(shard: number): string {
  return `SHARD#${String(shard).padStart(4, '0')}`;
}

/**
 * Partition of the recipients' rows of one shard. A fan-out writes thousands of them in a second, and the publication's
 * own partition takes 1,000.
 */
export function reportKey({ tenant, messageId }: PublicationId, shard: number): string {
  return `RECIPIENTS#${tenant}#${messageId.toLowerCase()}#${String(shard)}`;
}

/** TTL of every row of a publication, in epoch seconds. */
export function recordExpiry(now: number): number {
  return Math.ceil((now + publicationLifetimeMs) / 1000);
}

/**
 * TTL of every row of a message that waits for its time. A stack that was down delivers late. What is later than
 * `scheduleKeptMs` is given up.
 */
export function waitingExpiry(deliverAt: number): number {
  return Math.ceil((deliverAt + scheduleKeptMs) / 1000);
}
