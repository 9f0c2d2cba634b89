import { type AudienceRequest, broadcastSources, namedRecipients } from '../delivery/audience.ts';
import type { RecipientPage, Recipients } from '../sessions/recipients.ts';
import { type Recipient, shardOf } from '../sessions/items.ts';

export interface ShardRequest extends AudienceRequest {
  readonly shard: number;
}

/** `next` is the position of the next page. Absent at the end of the shard. */
export type ShardPage = RecipientPage;

export type ShardAudience = Awaited<ReturnType<typeof readShardAudience>>;

/** The position after the sessions that targets name, and before the first page of the broadcast sources. */
const named = '';

/**
 * The audience of one shard in pages, each session once. Every target finds a connection in the same shard, so no other
 * shard holds a duplicate. All broadcast sources have the same order, so merging one page of each finds the duplicates.
 * Positions are text, so a retried job can continue from one.
 */
export async function readShardAudience(recipients: Recipients, request: ShardRequest) {
  const { shard } = request;
  const excluded = new Set(request.exclude);
  const namedHere = new Map<string, Recipient>();
  for (const recipient of await namedRecipients(recipients, request)) {
    const { connectionId } = recipient;
    if (shardOf(connectionId, recipients.shards) !== shard || excluded.has(connectionId)) continue;
    namedHere.set(connectionId, recipient);
  }
  const sources = broadcastSources(recipients, request, shard);

  async function broadcastPage(after: string | undefined, limit: number): Promise<ShardPage> {
    const pages = await Promise.all(sources.map(({ read }) => read({ limit, after })));
    // Beyond the lowest `next` of the pages, a source may hold rows that were not read yet.
    const ends = pages.flatMap(({ next }) => (next === undefined ? [] : [next]));
    const next = ends.length === 0 ? undefined : ends.reduce((a, b) => (a < b ? a : b));
    const merged = new Map<string, Recipient>();
    for (const recipient of pages.flatMap((page) => page.recipients)) {
      const { connectionId } = recipient;
      const isBeyond = sources.length > 1 && next !== undefined && connectionId > next;
      if (!isBeyond && !excluded.has(connectionId) && !namedHere.has(connectionId))
        merged.set(connectionId, recipient);
    }
    return { recipients: [...merged.values()], next };
  }

  return {
    /** The approximate number of sessions. A session counts once per target that finds it. */
    async estimate(): Promise<number> {
      const counts = await Promise.all(sources.map(({ count }) => count()));
      return counts.reduce((sum, count) => sum + count, namedHere.size);
    },

    /** The page after a position. `undefined` is the beginning. */
    async page(position: string | undefined, limit: number): Promise<ShardPage> {
      if (position === undefined && namedHere.size > 0) {
        return { recipients: [...namedHere.values()], next: sources.length === 0 ? undefined : named };
      }
      return broadcastPage(position === named ? undefined : position, limit);
    },
  };
}
