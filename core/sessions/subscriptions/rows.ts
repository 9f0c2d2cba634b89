import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Identity } from '../../../protocol/index.ts';
import type { Clock } from '../../clock.ts';
import { writeAll } from '../../tables/batch-write.ts';
import { conditionHeld } from '../../tables/conditional-write.ts';
import { contentAsOf, expiryOf, type SessionRow, shardOf, type SubscriptionRow, topicKey } from '../items.ts';

export interface Subscriber {
  readonly identity: Identity;
  readonly connectionId: string;
}

/** The rows of subscriptions: one for each session and topic. */
export function createSubscriptionRows(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly shards: number;
  readonly clock: Pick<Clock, 'now'>;
}) {
  const { db, table, shards, clock } = options;
  const keyOf = ({ identity, connectionId }: Subscriber, topic: string) => ({
    pk: topicKey(identity.tenant, topic, shardOf(connectionId, shards)),
    sk: connectionId,
  });

  return {
    async read(subscriber: Subscriber, topic: string): Promise<SubscriptionRow | undefined> {
      const Key = keyOf(subscriber, topic);
      const { Item } = await db.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item as SubscriptionRow | undefined;
    },

    /** Writes the row. A refresh may have moved the row of an earlier subscription further: then nothing is written. */
    put(subscriber: Subscriber, topic: string, session: SessionRow, nonce: string): Promise<boolean> {
      const { userType, userId } = subscriber.identity;
      const { connectedAt, tokenExpiresAt } = session;
      const expiresAt = expiryOf(connectedAt);
      const contentAs = contentAsOf(session);
      const write = new PutCommand({
        TableName: table,
        Item: {
          ...keyOf(subscriber, topic),
          ...{ userType, userId, connectedAt, tokenExpiresAt, expiresAt, nonce },
          subscribedAt: clock.now(),
          ...(contentAs && { contentAs }),
        },
        ConditionExpression: 'attribute_not_exists(pk) OR tokenExpiresAt <= :tokenExpiresAt',
        ExpressionAttributeValues: { ':tokenExpiresAt': tokenExpiresAt },
      });
      return conditionHeld(db.send(write));
    },

    /** Deletes the row that has this nonce. Resolves to `false` if another write has replaced it. */
    delete(subscriber: Subscriber, topic: string, nonce = ''): Promise<boolean> {
      const deletion = new DeleteCommand({
        TableName: table,
        Key: keyOf(subscriber, topic),
        ConditionExpression: 'attribute_not_exists(nonce) OR nonce = :nonce',
        ExpressionAttributeValues: { ':nonce': nonce },
      });
      return conditionHeld(db.send(deletion));
    },

    /** Moves the expiry of a row, later only. A subscription that has ended is not written again. */
    async move(subscriber: Subscriber, topic: string, tokenExpiresAt: number): Promise<void> {
      const update = new UpdateCommand({
        TableName: table,
        Key: keyOf(subscriber, topic),
        UpdateExpression: 'SET tokenExpiresAt = :tokenExpiresAt',
        ConditionExpression: 'tokenExpiresAt < :tokenExpiresAt',
        ExpressionAttributeValues: { ':tokenExpiresAt': tokenExpiresAt },
      });
      await conditionHeld(db.send(update));
    },

    async clear(subscriber: Subscriber, topics: Iterable<string>): Promise<void> {
      const keys = [...topics].map((topic) => keyOf(subscriber, topic));
      await writeAll(
        db,
        table,
        keys.map((Key) => ({ DeleteRequest: { Key } })),
      );
    },

    async removeOrphan(key: string, connectionId: string): Promise<void> {
      await db.send(new DeleteCommand({ TableName: table, Key: { pk: key, sk: connectionId } }));
    },
  };
}
