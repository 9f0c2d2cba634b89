import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { RecipientReport } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { type PostOutcome, reasonOf } from '../connections/client.ts';
import { writeAll } from '../tables/batch-write.ts';
import type { PagePosition } from '../tables/page-cursor.ts';
import { type PublicationId, recordExpiry, reportKey } from './items.ts';
import { type Recipient, shardOf } from '../sessions/items.ts';

export type RecipientReports = ReturnType<typeof createRecipientReports>;

/** The outcome for each recipient of a publication: one row each in the state table, kept for a day. */
export function createRecipientReports(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly shards: number;
  readonly clock: Pick<Clock, 'now'>;
}) {
  const { db, table, shards, clock } = options;

  return {
    async add(
      id: PublicationId,
      recipients: readonly Recipient[],
      outcomes: ReadonlyMap<string, PostOutcome>,
    ): Promise<void> {
      const rows = recipients.map(({ connectionId, identity: { userType, userId } }) => ({
        pk: reportKey(id, shardOf(connectionId, shards)),
        sk: connectionId,
        userType,
        userId,
        ...reportOf(outcomes.get(connectionId)),
        expiresAt: recordExpiry(clock.now()),
      }));
      await writeAll(
        db,
        table,
        rows.map((Item) => ({ PutRequest: { Item } })),
      );
    },

    /** A page of the report, shard by shard. `next` is absent at the end. */
    async page(id: PublicationId, from: PagePosition, limit: number) {
      const recipients: RecipientReport[] = [];
      let { shard, after } = from;
      while (shard < shards && recipients.length < limit) {
        const { Items, LastEvaluatedKey } = await db.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :pk AND sk > :after',
            ExpressionAttributeValues: { ':pk': reportKey(id, shard), ':after': after ?? ' ' },
            Limit: limit - recipients.length,
          }),
        );
        recipients.push(...(Items ?? []).map(readRow));
        after = LastEvaluatedKey?.sk as string | undefined;
        if (after === undefined) shard += 1;
      }
      return { recipients, next: shard < shards ? { shard, after } : undefined };
    },
  };
}

function reportOf(outcome: Parameters<typeof reasonOf>[0]): Pick<RecipientReport, 'outcome' | 'reason'> {
  if (outcome?.outcome === 'sent') return { outcome: 'delivered' };
  if (outcome?.outcome === 'gone') return { outcome: 'gone' };
  return { outcome: 'failed', reason: reasonOf(outcome) };
}

function readRow(item: Record<string, unknown>): RecipientReport {
  const { sk, userType, userId, outcome, reason } = item as { sk: string } & Omit<
    RecipientReport,
    'connectionId'
  >;
  return { connectionId: sk, userType, userId, outcome, ...(reason !== undefined && { reason }) };
}
