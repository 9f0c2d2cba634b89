import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../clock.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import { channelKey, cursorSortKey, keyOf, messageSortKey } from './items.ts';
import type { LogReader } from './reader.ts';

export interface Unread {
  readonly unread: number;
  /** The count stopped before the end of the log. */
  readonly more?: true;
}

export type Inbox = ReturnType<typeof createInbox>;

/** How far users have read the logs of their own channels: one row beside each log, in the state table. */
export function createInbox({
  db,
  table,
  clock,
}: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
}) {
  return {
    /** The last offset that the user has read. 0: nothing of this epoch. */
    async readOffset({ id, epoch, newest }: LogReader): Promise<number> {
      if (newest === 0) return 0;
      const { Item } = await db.send(
        new GetCommand({ TableName: table, Key: keyOf(id, cursorSortKey), ConsistentRead: true }),
      );
      return Item?.epoch === epoch ? Number(Item.readOffset) : 0;
    },

    /** Moves forward only. `false`: the user has already read that far, or further. */
    async moveTo({ id, epoch }: LogReader, offset: number): Promise<boolean> {
      const update = new UpdateCommand({
        TableName: table,
        Key: keyOf(id, cursorSortKey),
        UpdateExpression: 'SET epoch = :epoch, readOffset = :offset',
        ConditionExpression: 'attribute_not_exists(pk) OR epoch <> :epoch OR readOffset < :offset',
        ExpressionAttributeValues: { ':epoch': epoch, ':offset': offset },
      });
      return conditionHeld(db.send(update));
    },

    /** Counts the messages after the offset that are still kept. It stops after a megabyte, which one read takes in. */
    async count({ id, epoch, newest }: LogReader, after: number): Promise<Unread> {
      if (after >= newest) return { unread: 0 };
      const { Count, LastEvaluatedKey } = await db.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
          FilterExpression: 'epoch = :epoch AND attribute_exists(frame) AND expiresAt > :nowSeconds',
          ExpressionAttributeValues: {
            ':pk': channelKey(id),
            ':from': messageSortKey(after + 1),
            ':to': messageSortKey(newest),
            ':epoch': epoch,
            ':nowSeconds': Math.floor(clock.now() / 1000),
          },
          Select: 'COUNT',
          ConsistentRead: true,
        }),
      );
      return { unread: Count ?? 0, ...(LastEvaluatedKey && { more: true }) };
    },
  };
}
