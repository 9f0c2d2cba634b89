import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Identity } from '../../protocol/index.ts';
import type { TokenVerdict } from '../auth/verified-token.ts';
import type { Clock } from '../clock.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import { userKey } from './items.ts';

export type Revocations = ReturnType<typeof createRevocations>;

/** The row of a user whose tokens were revoked. */
export interface RevocationRow {
  readonly pk: string;
  readonly sk: string;
  /** Epoch milliseconds. */
  readonly revokedAt: number;
}

/** Sorts behind every connection id. So no list of a user's sessions reads this row. */
export const revocationSortKey = '~revoked';

/**
 * Whether a revocation ends a token. The `iat` of a token has whole seconds, so a token that was issued in the second
 * of the revocation counts as older. Without `iat` nobody knows that a token is newer.
 */
export function isRevokedBy(revocation: RevocationRow | undefined, issuedAt: number | undefined): boolean {
  return revocation !== undefined && (issuedAt === undefined || issuedAt <= revocation.revokedAt);
}

/**
 * The revocations of users' tokens: one row beside the sessions of the user. It has no TTL, because a token may live
 * for any time.
 */
export function createRevocations({
  db,
  table,
  clock,
}: {
  readonly db: DynamoDBDocumentClient;
  /** The name of the sessions table. */
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
}) {
  const keyOf = (user: Identity) => ({ pk: userKey(user), sk: revocationSortKey });

  return {
    /** Revokes every token of the user that was issued until now. */
    async revoke(user: Identity): Promise<void> {
      const update = new UpdateCommand({
        TableName: table,
        Key: keyOf(user),
        UpdateExpression: 'SET revokedAt = :now',
        // A function whose clock is behind must not make revoked tokens valid again.
        ConditionExpression: 'attribute_not_exists(pk) OR revokedAt < :now',
        ExpressionAttributeValues: { ':now': clock.now() },
      });
      await conditionHeld(db.send(update));
    },

    async isRevoked(user: Identity, issuedAt: number | undefined): Promise<boolean> {
      const { Item } = await db.send(
        new GetCommand({ TableName: table, Key: keyOf(user), ConsistentRead: true }),
      );
      return isRevokedBy(Item as RevocationRow | undefined, issuedAt);
    },
  };
}

/** Verifies a token or ticket, and refuses it if its token has been revoked. */
export function withRevocations<Given extends readonly unknown[]>(
  verify: (...given: Given) => Promise<TokenVerdict>,
  { isRevoked }: Pick<Revocations, 'isRevoked'>,
): (...given: Given) => Promise<TokenVerdict> {
  return async (...given) => {
    const verdict = await verify(...given);
    if (!verdict.ok || !(await isRevoked(verdict.token.identity, verdict.token.issuedAt))) return verdict;
    return { ok: false, reason: 'token was revoked' };
  };
}
