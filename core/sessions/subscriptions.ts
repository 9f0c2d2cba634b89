import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { type Identity, maxTopicsPerSession } from '../../protocol/index.ts';
import { writeAll } from '../tables/batch-write.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import { expiryOf, type SessionRow, shardOf, topicKey, userKey } from './items.ts';

export interface Subscriber {
  readonly identity: Identity;
  readonly connectionId: string;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  /** Epoch milliseconds. */
  readonly tokenExpiresAt: number;
}

export type Subscriptions = ReturnType<typeof createSubscriptions>;

/** Subscriptions to topics. Each has a row of its own, and the session's row lists its topics. */
export function createSubscriptions(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly shards: number;
}) {
  const { db, table, shards } = options;
  const keyOf = (tenant: string, topic: string, connectionId: string) => ({
    pk: topicKey(tenant, topic, shardOf(connectionId, shards)),
    sk: connectionId,
  });

  return {
    /**
     * `full`: the session has the most topics allowed. `closed`: the session is gone. The topic goes into the session's
     * row first. A disconnect reads the topics there, so it finds every subscription.
     */
    async subscribe(subscriber: Subscriber, topic: string): Promise<'subscribed' | 'full' | 'closed'> {
      const { identity, connectionId, connectedAt, tokenExpiresAt } = subscriber;
      const { tenant, userType, userId } = identity;
      const Key = { pk: userKey(identity), sk: connectionId };
      const addition = new UpdateCommand({
        TableName: table,
        Key,
        UpdateExpression: 'ADD topics :added',
        ConditionExpression:
          'attribute_exists(pk) AND (attribute_not_exists(topics) OR size(topics) < :most OR contains(topics, :topic))',
        ExpressionAttributeValues: {
          ':added': new Set([topic]),
          ':topic': topic,
          ':most': maxTopicsPerSession,
        },
      });
      if (!(await conditionHeld(db.send(addition)))) {
        const { Item } = await db.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
        return Item ? 'full' : 'closed';
      }
      const row = keyOf(tenant, topic, connectionId);
      const expiresAt = expiryOf(connectedAt);
      const Item = { ...row, userType, userId, connectedAt, tokenExpiresAt, expiresAt };
      await db.send(new PutCommand({ TableName: table, Item }));
      // The session may have closed or been refreshed before this row existed. The row follows now.
      const { Item: session } = await db.send(
        new GetCommand({ TableName: table, Key, ConsistentRead: true }),
      );
      if (!session) {
        await db.send(new DeleteCommand({ TableName: table, Key: row }));
        return 'closed';
      }
      const { tokenExpiresAt: latest } = session as SessionRow;
      if (latest > tokenExpiresAt) await this.refresh(identity, connectionId, [topic], latest);
      return 'subscribed';
    },

    /** Moves the expiry of subscriptions, later only. A subscription that has ended is not written again. */
    async refresh(
      { tenant }: Identity,
      connectionId: string,
      topics: Iterable<string>,
      tokenExpiresAt: number,
    ): Promise<void> {
      const updates = [...topics].map((topic) =>
        conditionHeld(
          db.send(
            new UpdateCommand({
              TableName: table,
              Key: keyOf(tenant, topic, connectionId),
              UpdateExpression: 'SET tokenExpiresAt = :tokenExpiresAt',
              ConditionExpression: 'tokenExpiresAt < :tokenExpiresAt',
              ExpressionAttributeValues: { ':tokenExpiresAt': tokenExpiresAt },
            }),
          ),
        ),
      );
      await Promise.all(updates);
    },

    /** Deletes the subscription's row first. So a session never gets a topic that its row does not list. */
    async unsubscribe({ identity, connectionId }: Subscriber, topic: string): Promise<void> {
      await db.send(
        new DeleteCommand({ TableName: table, Key: keyOf(identity.tenant, topic, connectionId) }),
      );
      const removal = new UpdateCommand({
        TableName: table,
        Key: { pk: userKey(identity), sk: connectionId },
        UpdateExpression: 'DELETE topics :removed',
        // Without this, the update would create a row for a session that has closed.
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':removed': new Set([topic]) },
      });
      await conditionHeld(db.send(removal));
    },

    /** Removes the subscriptions of a session that is gone. */
    async clear({ tenant }: Identity, connectionId: string, topics: Iterable<string>): Promise<void> {
      const keys = [...topics].map((topic) => keyOf(tenant, topic, connectionId));
      await writeAll(
        db,
        table,
        keys.map((Key) => ({ DeleteRequest: { Key } })),
      );
    },

    /** Removes one subscription row that outlived its session. */
    async removeOrphan(key: string, connectionId: string): Promise<void> {
      await db.send(new DeleteCommand({ TableName: table, Key: { pk: key, sk: connectionId } }));
    },
  };
}
