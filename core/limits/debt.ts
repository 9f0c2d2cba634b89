import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Identity } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import type { Rate } from './rate.ts';

export interface DebtOptions {
  readonly db: DynamoDBDocumentClient;
  /** The state table. */
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * What users owe: units that are paid off at a rate. A rate counter would let each function environment allow units that
 * the others do not know of. This row is shared. It holds one number, the time at which everything is paid.
 */
export interface Debt {
  /** Adds units, unless the user owes the burst. Resolves to 0, or to the milliseconds until the user owes less. */
  readonly add: (identity: Identity, units: number) => Promise<number>;
  /** Corrects an addition, by units above or below 0. */
  readonly correct: (identity: Identity, units: number) => Promise<void>;
}

/**
 * Messages that `recover` and `subscribe` post to a user. The posts of all users share the requests of the AWS account, so
 * 40 hostile connections of 40 users get 400 of its 10,000 a second.
 */
export const recoverRate: Rate = { rateLimit: 10, burstLimit: 100 };

/** How long a row outlives its debt. A correction may still come. */
const keptMs = 60_000;

export function createDebt({ db, table, clock }: DebtOptions, { rateLimit, burstLimit }: Rate): Debt {
  const msOf = (units: number) => (units * 1000) / rateLimit;
  const burstMs = msOf(burstLimit);

  function update(
    identity: Identity,
    change: string,
    values: Readonly<Record<string, number>>,
    condition?: string,
  ): Promise<unknown> {
    const expiresAt = Math.ceil((clock.now() + burstMs + keptMs) / 1000);
    return db.send(
      new UpdateCommand({
        TableName: table,
        Key: keyOf(identity),
        UpdateExpression: `SET expiresAt = :expiresAt${change}`,
        ExpressionAttributeValues: { ...values, ':expiresAt': expiresAt },
        ConditionExpression: condition,
      }),
    );
  }

  return {
    async add(identity, units) {
      const now = clock.now();
      const paidAt = { ':paidAt': now + msOf(units), ':now': now };
      const owesNothing = 'attribute_not_exists(pk) OR paidAt <= :now';
      if (await conditionHeld(update(identity, ', paidAt = :paidAt', paidAt, owesNothing))) return 0;
      const later = { ':ms': msOf(units), ':full': now + burstMs };
      if (await conditionHeld(update(identity, ' ADD paidAt :ms', later, 'paidAt < :full'))) return 0;
      const get = new GetCommand({ TableName: table, Key: keyOf(identity), ConsistentRead: true });
      const { Item } = await db.send(get);
      // A millisecond more, because the condition is strict.
      return Math.max(0, Math.ceil(Number(Item?.paidAt) - now - burstMs)) + 1;
    },
    async correct(identity, units) {
      if (units !== 0) await update(identity, ' ADD paidAt :ms', { ':ms': msOf(units) });
    },
  };
}

function keyOf({ tenant, userType, userId }: Identity) {
  return { pk: `DEBT#${tenant}#${userType}#${userId}`, sk: 'DEBT' };
}
