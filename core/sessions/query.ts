import type { PageOptions, RecipientPage, Recipients } from './recipients.ts';

/** Which sessions a list is about: those of a user, of a user type, or of everyone. */
export interface SessionQuery {
  readonly tenant: string;
  readonly userType?: string | undefined;
  readonly userId?: string | undefined;
  readonly limit: number;
  /** The cursor that the previous page returned. */
  readonly cursor?: string | undefined;
}

/** Reads a part of the sessions, in pages. */
export type Read = (options: PageOptions) => Promise<RecipientPage>;

/** The parts of a query. A user has one partition. A type and everyone have one in each shard. */
export function readsOf(recipients: Recipients, query: SessionQuery): readonly Read[] {
  const { tenant, userType, userId } = query;
  if (userType !== undefined && userId !== undefined)
    return [(options) => recipients.ofUser({ tenant, userType, userId }, options)];
  const ofType = userType === undefined ? { tenant } : { tenant, userType };
  return Array.from(
    { length: recipients.shards },
    (_, shard) => (options) => recipients.ofAudience({ ...ofType, shard }, options),
  );
}
