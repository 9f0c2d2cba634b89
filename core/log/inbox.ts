import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { channelKey, cursorSortKey, type HeadRow, type LogId, messageSortKey } from './items.ts';
import { conditionHeld } from '../tables/conditional-write.ts';

export interface Unread {
  readonly unread: number;
  readonly more?: true;
}

/** Each reads a megabyte, and is paid for by that. */
const maxReads = 10;

export type Inbox = ReturnType<typeof createInbox>;

/** How far users have read the logs of their own channels: one row beside each log, in the state table. */
export function createInbox({
  db,
  table,
  now,
}: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly now: () => number;
}) {
  const keyOf = (log: LogId) => ({ pk: channelKey(log), sk: cursorSortKey });

  return {
    /** The offset up to which the user has read; 0 at the beginning, and of a log that was begun anew. */
    async readOffset(log: LogId, { epoch }: HeadRow): Promise<number> {
      const { Item } = await db.send(
        new GetCommand({ TableName: table, Key: keyOf(log), ConsistentRead: true }),
      );
      return Item?.epoch === epoch ? Number(Item.readOffset) : 0;
    },

    /** Moves on, and never back. `false`: the user has read further already. */
    async moveTo(log: LogId, { epoch }: HeadRow, offset: number): Promise<boolean> {
      const update = new UpdateCommand({
        TableName: table,
        Key: keyOf(log),
        UpdateExpression: 'SET epoch = :epoch, readOffset = :offset',
        ConditionExpression: 'attribute_not_exists(pk) OR epoch <> :epoch OR readOffset < :offset',
        ExpressionAttributeValues: { ':epoch': epoch, ':offset': offset },
      });
      return conditionHeld(db.send(update));
    },

    /** How many messages behind the offset are kept, and whether there are more than it has read for that. */
    async count(log: LogId, { epoch, offset: head }: HeadRow, after: number): Promise<Unread> {
      let unread = 0;
      let from: Record<string, unknown> | undefined;
      if (after >= head) return { unread };
      for (let reads = 0; reads < maxReads; reads += 1) {
        const { Count, LastEvaluatedKey } = await db.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
            FilterExpression: 'epoch = :epoch AND attribute_exists(frame) AND expiresAt > :nowSeconds',
            ExpressionAttributeValues: {
              ':pk': channelKey(log),
              ':from': messageSortKey(after + 1),
              ':to': messageSortKey(head),
              ':epoch': epoch,
              ':nowSeconds': Math.floor(now() / 1000),
            },
            Select: 'COUNT',
            ConsistentRead: true,
            ...(from && { ExclusiveStartKey: from }),
          }),
        );
        unread += Count ?? 0;
        from = LastEvaluatedKey;
        if (!from) return { unread };
      }
      return { unread, more: true };
    },
  };
}
