import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../clock.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import { type PublicationId, publicationKey, recordExpiry, shardSortKey } from './items.ts';

export interface ShardId extends PublicationId {
  readonly shard: number;
}

/** One attempt at a shard's job. */
export interface ShardAttempt extends ShardId {
  /** Unique to the attempt. Another attempt at the same job has another one. */
  readonly worker: string;
}

/** Another worker is ahead with the same job, because the queue delivered it twice. */
export class ShardTaken extends Error {
  override readonly name = 'ShardTaken';
}

/** The counts of one page of recipients. */
export interface PageCounts {
  readonly delivered: number;
  readonly gone: number;
  readonly failed: number;
}

/** A shard's row in the state table: the progress of its job. Times are epoch milliseconds. */
export interface ShardRow extends PageCounts {
  readonly shard: number;
  /** The attempt that counted a page last. */
  readonly worker?: string;
  readonly state: 'delivering' | 'done' | 'failed';
  /** The approximate number of recipients. */
  readonly estimate: number;
  /** The position after the last page that was sent. Absent before the first page. */
  readonly position?: string;
  readonly startedAt: number;
  /** When the last page was counted. */
  readonly movedAt: number;
  readonly finishedAt?: number;
}

export type ShardProgress = ReturnType<typeof createShardProgress>;

/** Checkpoints of the fan-out. Each page is counted once, even if its job is delivered several times. */
export function createShardProgress(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
}) {
  const { db, table, clock } = options;
  const keyOf = (id: ShardId) => ({ pk: publicationKey(id), sk: shardSortKey(id.shard) });

  async function read(id: ShardId): Promise<ShardRow | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName: table, Key: keyOf(id), ConsistentRead: true }),
    );
    return Item as ShardRow | undefined;
  }

  /** Called if a write's condition failed. The row is our own if the SDK repeated the write after a lost answer. */
  async function ownRow(attempt: ShardAttempt): Promise<ShardRow> {
    const row = await read(attempt);
    if (row?.worker !== attempt.worker) throw new ShardTaken('Another worker is ahead with this shard.');
    return row;
  }

  return {
    read,

    /** Opens the shard's row. Throws a `ShardTaken` if another worker has just opened it. */
    async begin(attempt: ShardAttempt, estimate: number): Promise<ShardRow> {
      const { shard, worker } = attempt;
      const counts = { delivered: 0, gone: 0, failed: 0 };
      const row: ShardRow = {
        shard,
        worker,
        state: 'delivering',
        estimate,
        ...counts,
        startedAt: clock.now(),
        movedAt: clock.now(),
      };
      const put = new PutCommand({
        TableName: table,
        Item: { ...keyOf(attempt), ...row, expiresAt: recordExpiry(clock.now()) },
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      return (await conditionHeld(db.send(put))) ? row : ownRow(attempt);
    },

    /**
     * Counts a page and moves the position to `next`, or to the end. Resolves to the changed row. Throws a `ShardTaken`
     * if another worker has counted the page already.
     */
    async advance(
      attempt: ShardAttempt,
      row: ShardRow,
      next: string | undefined,
      counts: PageCounts,
    ): Promise<ShardRow> {
      const isLast = next === undefined;
      const update = new UpdateCommand({
        TableName: table,
        Key: keyOf(attempt),
        UpdateExpression:
          `SET worker = :worker, #state = :state, movedAt = :now, ${isLast ? 'finishedAt = :now' : '#position = :next'}` +
          ' ADD delivered :delivered, gone :gone, failed :failed',
        ConditionExpression: `#state <> :done AND ${
          row.position === undefined ? 'attribute_not_exists(#position)' : '#position = :from'
        }`,
        ExpressionAttributeNames: { '#state': 'state', '#position': 'position' },
        ExpressionAttributeValues: {
          ':worker': attempt.worker,
          ':state': isLast ? 'done' : 'delivering',
          ':done': 'done',
          ':now': clock.now(),
          ':delivered': counts.delivered,
          ':gone': counts.gone,
          ':failed': counts.failed,
          ...(!isLast && { ':next': next }),
          ...(row.position !== undefined && { ':from': row.position }),
        },
      });
      if (!(await conditionHeld(db.send(update)))) return ownRow(attempt);
      return isLast ? { ...row, state: 'done' } : { ...row, position: next };
    },

    /** Marks the shard as failed, because its job goes to the dead-letter queue. */
    async fail(id: ShardId): Promise<void> {
      const update = new UpdateCommand({
        TableName: table,
        Key: keyOf(id),
        UpdateExpression:
          'SET #state = :failed, #shard = :shard, movedAt = :now, finishedAt = :now, expiresAt = :expiresAt' +
          ', startedAt = if_not_exists(startedAt, :now) ADD delivered :zero, gone :zero, failed :zero, estimate :zero',
        ConditionExpression: 'attribute_not_exists(#state) OR #state <> :done',
        ExpressionAttributeNames: { '#state': 'state', '#shard': 'shard' },
        ExpressionAttributeValues: {
          ':failed': 'failed',
          ':done': 'done',
          ':shard': id.shard,
          ':now': clock.now(),
          ':expiresAt': recordExpiry(clock.now()),
          ':zero': 0,
        },
      });
      await conditionHeld(db.send(update));
    },
  };
}
