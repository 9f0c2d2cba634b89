import type { Target } from '../../protocol/index.ts';
import type { AudienceShard, PageOptions, RecipientPage, Recipients } from '../sessions/recipients.ts';
import { memberPrefix, type Recipient } from '../sessions/items.ts';

export interface AudienceRequest {
  readonly tenant: string;
  readonly to: readonly Target[];
  readonly exclude: readonly string[];
}

export type Audience =
  | { readonly size: 'inline'; readonly recipients: readonly Recipient[] }
  /** More than the limit. Reading stopped there, so the number is unknown. */
  | { readonly size: 'large' };

/** One shard of a target that may be large, sorted by connection id. Everyone is sorted by type first. */
export interface BroadcastSource {
  readonly read: Read;
  /** The number of rows. Rows of closed sessions count too. */
  readonly count: () => Promise<number>;
}

type Read = (options: PageOptions) => Promise<RecipientPage>;

/** The sessions behind the targets, each once. Resolves to `large` as soon as more than `limit` are found. */
export async function resolveAudience(
  recipients: Recipients,
  request: AudienceRequest,
  limit: number,
): Promise<Audience> {
  const excluded = new Set(request.exclude);
  const found = new Map<string, Recipient>();
  const add = (page: readonly Recipient[]) => {
    for (const recipient of page) {
      if (!excluded.has(recipient.connectionId)) found.set(recipient.connectionId, recipient);
    }
  };
  add(await namedRecipients(recipients, request));
  const shards = Array.from({ length: recipients.shards }, (_, shard) => shard);
  const sources = shards.flatMap((shard) =>
    broadcastSources(recipients, request, shard).map(({ read }) => read),
  );
  for await (const page of pagesOf(sources, limit + 1)) {
    add(page);
    if (found.size > limit) return { size: 'large' };
  }
  return found.size > limit ? { size: 'large' } : { size: 'inline', recipients: [...found.values()] };
}

/** The sessions of targets that name a session or a user. They are few. */
export async function namedRecipients(
  recipients: Recipients,
  { tenant, to }: AudienceRequest,
): Promise<readonly Recipient[]> {
  const found = await Promise.all(
    to.map(async (target): Promise<readonly Recipient[]> => {
      if (target.kind === 'user') {
        const { userType, userId } = target;
        return allPages((options) => recipients.ofUser({ tenant, userType, userId }, options));
      }
      if (target.kind !== 'session') return [];
      const found = await recipients.byConnection(target.connectionId);
      // A connection id is not a permission, so a session of another tenant is left out.
      if (found?.identity.tenant !== tenant) return [];
      const recipient = await recipients.ofSession(found.identity, found.connectionId);
      return recipient ? [recipient] : [];
    }),
  );
  return found.flat();
}

/** The targets that may be large, in one shard. Everyone includes every type and topic, so it replaces them. */
export function broadcastSources(
  recipients: Recipients,
  { tenant, to }: AudienceRequest,
  shard: number,
): BroadcastSource[] {
  if (to.some(({ kind }) => kind === 'everyone')) {
    const everyone = { tenant, shard };
    return [
      {
        read: (options) => recipients.ofAudience(everyone, options),
        count: () => recipients.countAudience(everyone),
      },
    ];
  }
  return to.flatMap((target): BroadcastSource[] => {
    if (target.kind === 'topic') {
      const topic = { tenant, topic: target.topic, shard };
      return [
        { read: (options) => recipients.ofTopic(topic, options), count: () => recipients.countTopic(topic) },
      ];
    }
    if (target.kind !== 'type') return [];
    const type = { tenant, userType: target.userType, shard };
    return [{ read: readType(recipients, type), count: () => recipients.countAudience(type) }];
  });
}

/** Removes the type in front of the index's sort key. Positions are then connection ids, as in a topic. */
function readType(recipients: Recipients, type: AudienceShard & { userType: string }): Read {
  const prefix = memberPrefix(type.userType);
  return async ({ after, ...options }) => {
    const from = after === undefined ? {} : { after: prefix + after };
    const page = await recipients.ofAudience(type, { ...options, ...from });
    return { ...page, next: page.next?.slice(prefix.length) };
  };
}

async function allPages(read: Read): Promise<Recipient[]> {
  const found: Recipient[] = [];
  for await (const page of pagesOf([read], undefined)) found.push(...page);
  return found;
}

// Reads shards in parallel, one page of each at a time, so that the caller can stop early.
async function* pagesOf(
  sources: readonly Read[],
  limit: number | undefined,
): AsyncGenerator<readonly Recipient[]> {
  let open = sources.map((read) => ({ read, after: undefined as string | undefined }));
  while (open.length > 0) {
    const batch = open.splice(0, 16);
    const pages = await Promise.all(
      batch.map(async ({ read, after }) => ({ read, page: await read({ after, limit }) })),
    );
    for (const { page } of pages) yield page.recipients;
    open = [
      ...open,
      ...pages.flatMap(({ read, page }) => (page.next === undefined ? [] : [{ read, after: page.next }])),
    ];
  }
}
