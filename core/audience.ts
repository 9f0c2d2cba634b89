import { Refusal, type Target } from '../protocol/index.ts';
import type { PageKey, Recipient, RecipientPage, Sessions } from './sessions.ts';

export interface AudienceRequest {
  readonly tenant: string;
  readonly to: readonly Target[];
  readonly exclude: readonly string[];
}

export type Audience =
  | { readonly size: 'inline'; readonly recipients: readonly Recipient[] }
  /** More than the limit: how many more is not known, for nobody read on. */
  | { readonly size: 'large' };

/** Who is behind the targets right now, each session once; `large` as soon as there are more than `limit`. */
export async function resolveAudience(
  sessions: Sessions,
  { tenant, to, exclude }: AudienceRequest,
  limit: number,
): Promise<Audience> {
  const recipients = new Map<string, Recipient>();
  const excluded = new Set(exclude);
  for await (const page of mergePages(to.flatMap((target) => sources(sessions, tenant, target, limit)))) {
    for (const recipient of page) {
      if (!excluded.has(recipient.connectionId)) recipients.set(recipient.connectionId, recipient);
    }
    if (recipients.size > limit) return { size: 'large' };
  }
  return { size: 'inline', recipients: [...recipients.values()] };
}

type Source = (from?: PageKey) => Promise<RecipientPage>;

function sources(sessions: Sessions, tenant: string, target: Target, limit: number): Source[] {
  switch (target.kind) {
    case 'session':
      return [
        async () => {
          const recipient = await sessions.byConnection(target.connectionId);
          // A connection id is no secret and no permission: another tenant's session is nobody here.
          return { recipients: recipient?.identity.tenant === tenant ? [recipient] : [], next: undefined };
        },
      ];
    case 'user':
      return [(from) => sessions.ofUser({ tenant, userType: target.userType, userId: target.userId }, from)];
    case 'type':
    case 'everyone': {
      const userType = target.kind === 'type' ? { userType: target.userType } : {};
      return Array.from(
        { length: sessions.shards },
        (_, shard): Source =>
          (from) =>
            sessions.ofAudience({ tenant, ...userType, shard, limit: limit + 1 }, from),
      );
    }
    case 'topic':
      throw new Refusal('not_implemented', 'to: topics are not served yet');
  }
}

// In rounds: one page of every source at a time, so that shards are read side by side and reading can stop early.
async function* mergePages(open: Source[]): AsyncGenerator<readonly Recipient[]> {
  while (open.length > 0) {
    const batch = open.splice(0, 16);
    const pages = await Promise.all(batch.map(async (read) => ({ read, page: await read() })));
    for (const { read, page } of pages) {
      yield page.recipients;
      if (page.next) open.push((from = page.next) => read(from));
    }
  }
}
