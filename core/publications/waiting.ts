import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { answerIfHeld, conditionHeld } from '../tables/conditional-write.ts';
import { type PublicationId, recordExpiry, recordKey, waitingExpiry } from './items.ts';
import type { PublicationRow } from './view.ts';

/** What a `messageId` stands for. `conflict`: a publication with another body. */
export type Scheduling = 'scheduled' | 'cancelled' | 'conflict';

export type WaitingPublications = ReturnType<typeof createWaitingPublications>;

/**
 * The records of publications that wait for their time. The record decides between a worker and a cancel: each is a
 * conditional write to it, so one of them wins.
 */
export function createWaitingPublications(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly clock: Pick<Clock, 'now' | 'newId'>;
}) {
  const { db, table: TableName, clock } = options;

  async function read(id: PublicationId): Promise<PublicationRow | undefined> {
    const { Item } = await db.send(new GetCommand({ TableName, Key: recordKey(id), ConsistentRead: true }));
    const row = Item as PublicationRow | undefined;
    return row && row.expiresAt * 1000 > clock.now() ? row : undefined;
  }

  async function find(id: PublicationId, requestHash: string): Promise<Scheduling | undefined> {
    const row = await read(id);
    if (!row) return undefined;
    if (row.requestHash !== requestHash) return 'conflict';
    return row.cancelledAt === undefined ? 'scheduled' : 'cancelled';
  }

  return {
    find,

    /** Takes the `messageId` for a request that waits. The same request may come again, even after its delivery. */
    async schedule(id: PublicationId, requestHash: string, deliverAt: number): Promise<Scheduling> {
      const put = new PutCommand({
        TableName,
        Item: {
          ...recordKey(id),
          requestHash,
          claimId: clock.newId(),
          startedAt: clock.now(),
          deliverAt,
          isWaiting: true,
          expiresAt: waitingExpiry(deliverAt),
        },
        ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :nowSeconds',
        ExpressionAttributeValues: { ':nowSeconds': Math.floor(clock.now() / 1000) },
      });
      if (await conditionHeld(db.send(put))) return 'scheduled';
      const found = await find(id, requestHash);
      // A publish under the same id failed meanwhile, and gave the id back.
      if (!found) throw Refusal.at('rate_limited', 'messageId', `${id.messageId} is in use; ask again`);
      return found;
    },

    /** Resolves to where the message waits. A second cancel of the same publication succeeds too. */
    async cancel(
      id: PublicationId,
    ): Promise<{ readonly deliverAt: number; readonly hash: string } | 'begun' | 'unknown'> {
      const update = new UpdateCommand({
        TableName,
        Key: recordKey(id),
        UpdateExpression:
          'SET cancelledAt = :now, finishedAt = :now, expiresAt = :expiresAt REMOVE isWaiting',
        ConditionExpression: 'isWaiting = :true',
        ExpressionAttributeValues: {
          ':true': true,
          ':now': clock.now(),
          ':expiresAt': recordExpiry(clock.now()),
        },
        ReturnValues: 'ALL_NEW',
      });
      const written = await answerIfHeld(db.send(update));
      const row = written ? (written.Attributes as PublicationRow) : await read(id);
      if (!row) return 'unknown';
      if (row.cancelledAt === undefined || row.deliverAt === undefined) return 'begun';
      return { deliverAt: row.deliverAt, hash: row.requestHash };
    },

    /** Shows a delivery as failed, because nobody retries it. If a dead letter is sent back, it begins again. */
    async fail(id: PublicationId): Promise<void> {
      const update = new UpdateCommand({
        TableName,
        Key: recordKey(id),
        UpdateExpression: 'SET isFailed = :true, isReleased = :true',
        ConditionExpression:
          'attribute_exists(pk) AND attribute_not_exists(answer) AND attribute_not_exists(cancelledAt)',
        ExpressionAttributeValues: { ':true': true },
      });
      await conditionHeld(db.send(update));
    },
  };
}
