import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { matchesAny, maxTopicsPerSession } from '../../../protocol/index.ts';
import type { Clock } from '../../clock.ts';
import { conditionHeld } from '../../tables/conditional-write.ts';
import { grantsOf, unchangedGrants } from '../grants.ts';
import { type SessionRow, userKey } from '../items.ts';
import { createSubscriptionRows, type Subscriber } from './rows.ts';

/** `full`: the session has the most topics allowed. `closed`: it has ended. */
export type SubscribeOutcome = 'subscribed' | 'forbidden' | 'full' | 'closed';

export type Subscriptions = ReturnType<typeof createSubscriptions>;

/**
 * Subscriptions to topics. Each has a row of its own, and the session's row lists its topics. When no call is under way,
 * both say the same, in whatever order calls ran at the same time. docs/decisions/0015 has the argument.
 */
export function createSubscriptions(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly shards: number;
  readonly clock: Pick<Clock, 'newId'>;
}) {
  const { db, table, clock } = options;
  const rows = createSubscriptionRows(options);
  const sessionKey = ({ identity, connectionId }: Subscriber) => ({
    pk: userKey(identity),
    sk: connectionId,
  });

  async function readSession(subscriber: Subscriber): Promise<SessionRow | undefined> {
    const Key = sessionKey(subscriber);
    const { Item } = await db.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item as SessionRow | undefined;
  }

  /** Lists a topic in the session's row, if that has not ended and still has the grants that were read. */
  function list(subscriber: Subscriber, topic: string, session: SessionRow): Promise<boolean> {
    const { condition, values } = unchangedGrants(session);
    const hasRoom = '(attribute_not_exists(topics) OR size(topics) < :most OR contains(topics, :topic))';
    const addition = new UpdateCommand({
      TableName: table,
      Key: sessionKey(subscriber),
      UpdateExpression: 'ADD topics :added',
      ConditionExpression: `attribute_exists(pk) AND attribute_not_exists(endedAt) AND ${condition} AND ${hasRoom}`,
      ExpressionAttributeValues: {
        ...values,
        ':added': new Set([topic]),
        ':topic': topic,
        ':most': maxTopicsPerSession,
      },
    });
    return conditionHeld(db.send(addition));
  }

  return {
    /** Removes the subscriptions of a session that is gone. */
    clear: (subscriber: Subscriber, topics: Iterable<string>) => rows.clear(subscriber, topics),

    /** Removes one subscription row that outlived its session. */
    removeOrphan: (key: string, connectionId: string) => rows.removeOrphan(key, connectionId),

    /** The topic must match one of the patterns. Those of a refresh take the place of `patterns`. */
    async subscribe(
      subscriber: Subscriber,
      topic: string,
      patterns: readonly string[],
    ): Promise<SubscribeOutcome> {
      const allows = (session: SessionRow) => matchesAny(topic, grantsOf(session)?.rights.topics ?? patterns);
      for (;;) {
        const session = await readSession(subscriber);
        if (!session || session.endedAt !== undefined) return 'closed';
        if (!allows(session)) return 'forbidden';
        const { topics = new Set(), tokenExpiresAt } = session;
        if (topics.has(topic)) {
          const held = await rows.read(subscriber, topic);
          if (held && held.tokenExpiresAt >= tokenExpiresAt) return 'subscribed';
        } else if (topics.size >= maxTopicsPerSession) return 'full';

        // Whatever failed a condition has changed what was read, so the next round decides anew.
        if (!(await list(subscriber, topic, session))) continue;
        const nonce = clock.newId();
        if (!(await rows.put(subscriber, topic, session, nonce))) continue;

        const latest = await readSession(subscriber);
        if (!latest?.topics?.has(topic) || latest.endedAt !== undefined) {
          // The session ended, unsubscribed or lost the right before this row existed, so nobody else deletes it.
          await rows.delete(subscriber, topic, nonce);
          if (!latest || latest.endedAt !== undefined) return 'closed';
          return allows(latest) ? 'subscribed' : 'forbidden';
        }
        if (latest.tokenExpiresAt > tokenExpiresAt) await rows.move(subscriber, topic, latest.tokenExpiresAt);
        return 'subscribed';
      }
    },

    /** Deletes the row even if the topic is not listed, so that a retry completes a call that failed half-way. */
    async unsubscribe(subscriber: Subscriber, topic: string): Promise<void> {
      const removal = new UpdateCommand({
        TableName: table,
        Key: sessionKey(subscriber),
        UpdateExpression: 'DELETE topics :removed',
        // Without this, the update would create a row for a session that has closed.
        ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(endedAt)',
        ExpressionAttributeValues: { ':removed': new Set([topic]) },
      });
      if (await conditionHeld(db.send(removal))) await this.deleteUnlisted(subscriber, [topic]);
    },

    /** Deletes the rows of topics that were taken off the list. One that is listed again keeps its row. */
    async deleteUnlisted(subscriber: Subscriber, topics: readonly string[]): Promise<void> {
      let left = topics;
      while (left.length > 0) {
        const found = await Promise.all(
          left.map(async (topic) => ({ topic, row: await rows.read(subscriber, topic) })),
        );
        const existing = found.flatMap(({ topic, row }) => (row ? [{ topic, nonce: row.nonce }] : []));
        if (existing.length === 0) return;
        // Read after the rows: a topic that is listed later gets a row with another nonce.
        const session = await readSession(subscriber);
        const unlisted = existing.filter(({ topic }) => !session?.topics?.has(topic));
        const deleted = await Promise.all(
          unlisted.map(({ topic, nonce }) => rows.delete(subscriber, topic, nonce)),
        );
        left = unlisted.filter((_, index) => !deleted[index]).map(({ topic }) => topic);
      }
    },

    /** Moves the rows that end before the session. It writes only those. */
    async extend(subscriber: Subscriber, topics: Iterable<string>, tokenExpiresAt: number): Promise<void> {
      await Promise.all(
        [...topics].map(async (topic) => {
          const row = await rows.read(subscriber, topic);
          if (row && row.tokenExpiresAt < tokenExpiresAt) await rows.move(subscriber, topic, tokenExpiresAt);
        }),
      );
    },
  };
}
