import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { maxTopicsPerSession } from '../../../protocol/index.ts';
import type { Clock } from '../../clock.ts';
import { conditionHeld } from '../../tables/conditional-write.ts';
import { grantsOf, unchangedGrants } from '../grants.ts';
import { type SessionRow, userKey } from '../items.ts';
import { createSubscriptionRows, type Subscriber } from './rows.ts';
import { allowsTopic } from './watches.ts';

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
  readonly clock: Pick<Clock, 'now' | 'newId'>;
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

  /** Lists topics in the session's row, if that has not ended and still has the grants that were read. */
  function list(subscriber: Subscriber, topics: readonly string[], session: SessionRow): Promise<boolean> {
    const { condition, values } = unchangedGrants(session);
    const added = topics.filter((topic) => !session.topics?.has(topic));
    const areListed = topics.map((_, index) => `contains(topics, :topic${index})`).join(' AND ');
    const hasRoom = `(attribute_not_exists(topics) OR size(topics) <= :room OR (${areListed}))`;
    const addition = new UpdateCommand({
      TableName: table,
      Key: sessionKey(subscriber),
      UpdateExpression: 'ADD topics :added',
      ConditionExpression: `attribute_exists(pk) AND attribute_not_exists(endedAt) AND ${condition} AND ${hasRoom}`,
      ExpressionAttributeValues: {
        ...values,
        ':added': new Set(topics),
        ...Object.fromEntries(topics.map((topic, index) => [`:topic${index}`, topic])),
        // A topic that was listed when the row was read may be off the list now.
        ':room': maxTopicsPerSession - Math.max(1, added.length),
      },
    });
    return conditionHeld(db.send(addition));
  }

  /** The topics that lack a row, or whose row ends before the session. */
  async function withoutRow(
    subscriber: Subscriber,
    topics: readonly string[],
    { topics: listed = new Set(), tokenExpiresAt }: SessionRow,
  ): Promise<readonly string[]> {
    const held = await Promise.all(
      topics.map(async (topic) => {
        const row = listed.has(topic) ? await rows.read(subscriber, topic) : undefined;
        return row !== undefined && row.tokenExpiresAt >= tokenExpiresAt;
      }),
    );
    return topics.filter((_, index) => !held[index]);
  }

  return {
    /** The row of one subscription. */
    row: (subscriber: Subscriber, topic: string) => rows.read(subscriber, topic),

    /** Removes the subscriptions of a session that is gone. */
    clear: (subscriber: Subscriber, topics: Iterable<string>) => rows.clear(subscriber, topics),

    /** Removes one subscription row that outlived its session. */
    removeOrphan: (key: string, connectionId: string) => rows.removeOrphan(key, connectionId),

    /** Each topic must match one of the patterns. Those of a refresh take the place of `patterns`. */
    async subscribe(
      subscriber: Subscriber,
      topic: string | readonly string[],
      patterns: readonly string[],
    ): Promise<SubscribeOutcome> {
      const topics = [topic].flat();
      const allows = (session: SessionRow) => {
        const rights = grantsOf(session)?.rights ?? { topics: patterns, watch: patterns };
        return topics.every((each) => allowsTopic(each, rights));
      };
      for (;;) {
        const session = await readSession(subscriber);
        if (!session || session.endedAt !== undefined) return 'closed';
        if (!allows(session)) return 'forbidden';
        const { topics: listed = new Set(), tokenExpiresAt } = session;
        const missing = await withoutRow(subscriber, topics, session);
        if (missing.length === 0) return 'subscribed';
        if (new Set([...listed, ...missing]).size > maxTopicsPerSession) return 'full';

        // Whatever failed a condition has changed what was read, so the next round decides anew.
        if (!(await list(subscriber, missing, session))) continue;
        const nonce = clock.newId();
        const put = await Promise.all(missing.map((each) => rows.put(subscriber, each, session, nonce)));
        const written = missing.filter((_, index) => put[index]);

        const latest = await readSession(subscriber);
        const isOpen = latest !== undefined && latest.endedAt === undefined;
        const unlisted = written.filter((each) => !isOpen || !latest.topics?.has(each));
        // The session ended, unsubscribed or lost the right before these rows existed, so nobody else deletes them.
        await Promise.all(unlisted.map((each) => rows.delete(subscriber, each, nonce)));
        if (!isOpen) return 'closed';
        if (latest.tokenExpiresAt > tokenExpiresAt) {
          const kept = written.filter((each) => !unlisted.includes(each));
          await Promise.all(kept.map((each) => rows.move(subscriber, each, latest.tokenExpiresAt)));
        }
        if (written.length < missing.length) continue;
        return unlisted.length === 0 || allows(latest) ? 'subscribed' : 'forbidden';
      }
    },

    /** Deletes the rows even of topics that are not listed, so that a retry completes a call that failed half-way. */
    async unsubscribe(subscriber: Subscriber, topic: string | readonly string[]): Promise<void> {
      const topics = [topic].flat();
      const removal = new UpdateCommand({
        TableName: table,
        Key: sessionKey(subscriber),
        UpdateExpression: 'DELETE topics :removed',
        // Without this, the update would create a row for a session that has closed.
        ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(endedAt)',
        ExpressionAttributeValues: { ':removed': new Set(topics) },
      });
      if (await conditionHeld(db.send(removal))) await this.deleteUnlisted(subscriber, topics);
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
