import { type AudienceRequest, broadcastSources, namedRecipients } from '../delivery/audience.ts';
import type { RecipientPage, Recipients } from '../sessions/recipients.ts';
import { type Recipient, shardOf } from '../sessions/items.ts';

export interface ShardRequest extends AudienceRequest {
  readonly shard: number;
}

/** `next` is where to read on; absent at the end of the shard. */
export type ShardPage = RecipientPage;

export type ShardAudience = Awaited<ReturnType<typeof readShardAudience>>;

/** Position behind the sessions that targets name, before the first page of the crowds. */
const named = '';

/**
 * The audience of one shard in pages, each session once. A connection falls into the same shard by whatever target
 * it is found, so one shard sees all its matches; and all crowds are sorted alike, so a page of each is merged and
 * duplicates drop without more than a page in memory. Positions are plain text: a job that stops can go on from one.
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

  async function crowdPage(after: string | undefined, limit: number): Promise<ShardPage> {
    const pages = await Promise.all(sources.map(({ read }) => read({ limit, after })));
    // Behind the first end of a page that has a next one, a source may hold rows that were not read yet.
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
    /** About how many sessions it holds: those that several targets name count more than once. */
    async estimate(): Promise<number> {
      const counts = await Promise.all(sources.map(({ count }) => count()));
      return counts.reduce((sum, count) => sum + count, namedHere.size);
    },

    /** The page behind a position; `undefined` is the beginning. */
    async page(position: string | undefined, limit: number): Promise<ShardPage> {
      if (position === undefined && namedHere.size > 0) {
        return { recipients: [...namedHere.values()], next: sources.length === 0 ? undefined : named };
      }
      return crowdPage(position === named ? undefined : position, limit);
    },
  };
}
