import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../clock.ts';
import { conditionHeld } from '../tables/conditional-write.ts';

export interface LeaseOptions {
  readonly db: DynamoDBDocumentClient;
  /** The state table. */
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Takes a lease that one holder has at a time. Resolves to its release, or to `undefined` while another has it. It ends
 * by itself after `ms`, because a function may be killed.
 */
export type Lease = (key: string, ms: number) => Promise<(() => Promise<void>) | undefined>;

export function createLease({ db, table, clock }: LeaseOptions): Lease {
  return async (key, ms) => {
    const now = clock.now();
    const until = now + ms;
    const write = (next: number, condition: string, value: number) =>
      conditionHeld(
        db.send(
          new UpdateCommand({
            TableName: table,
            Key: { pk: `LEASE#${key}`, sk: 'LEASE' },
            UpdateExpression: 'SET heldUntil = :next, expiresAt = :expiresAt',
            ConditionExpression: condition,
            ExpressionAttributeValues: {
              ':next': next,
              ':value': value,
              ':expiresAt': Math.ceil(until / 1000),
            },
          }),
        ),
      );
    if (!(await write(until, 'attribute_not_exists(pk) OR heldUntil <= :value', now))) return undefined;
    return async () => {
      // Condition failed: the lease had ended, and another holder has it.
      await write(0, 'heldUntil = :value', until);
    };
  };
}
