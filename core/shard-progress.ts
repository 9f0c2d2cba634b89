import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { holds } from './conditional-write.ts';
import { type PublicationId, publicationKey, recordExpiry, shardSortKey } from './publication-keys.ts';

export interface ShardId extends PublicationId {
  readonly shard: number;
}

/** What one page added. */
export interface PageCounts {
  readonly delivered: number;
  readonly gone: number;
  readonly failed: number;
}

/** A shard's row in the messages table: how far its job has come. Times are epoch milliseconds. */
export interface ShardRow extends PageCounts {
  readonly shard: number;
  readonly state: 'delivering' | 'done' | 'failed';
  /** About how many recipients there are. */
  readonly estimate: number;
  /** Behind the last page that was sent; absent before the first. */
  readonly position?: string;
  readonly startedAt: number;
  /** When the last page was counted. */
  readonly movedAt: number;
  readonly finishedAt?: number;
}

export type ShardProgress = ReturnType<typeof createShardProgress>;

/** Checkpoints of the fan-out: each page is counted once, however often its job is delivered. */
export function createShardProgress(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly now: () => number;
}) {
  const { db, table, now } = options;
  const keyOf = ({ shard, ...id }: ShardId) => ({ pk: publicationKey(id), sk: shardSortKey(shard) });

  return {
    async read(id: ShardId): Promise<ShardRow | undefined> {
      const { Item } = await db.send(
        new GetCommand({ TableName: table, Key: keyOf(id), ConsistentRead: true }),
      );
      return Item as ShardRow | undefined;
    },

    /** Opens the shard's row. `undefined`: another worker has just done so. */
    async begin(id: ShardId, estimate: number): Promise<ShardRow | undefined> {
      const { shard } = id;
      const counts = { delivered: 0, gone: 0, failed: 0 };
      const row: ShardRow = {
        shard,
        state: 'delivering',
        estimate,
        ...counts,
        startedAt: now(),
        movedAt: now(),
      };
      const put = new PutCommand({
        TableName: table,
        Item: { ...keyOf(id), ...row, expiresAt: recordExpiry(now()) },
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      return (await holds(db.send(put))) ? row : undefined;
    },

    /**
     * Counts a page and moves on from where it began to `next`, or to the end. Resolves to the row as it is then;
     * `undefined`: another worker has counted the page already, and goes on.
     */
    async advance(
      id: ShardId,
      row: ShardRow,
      next: string | undefined,
      counts: PageCounts,
    ): Promise<ShardRow | undefined> {
      const isLast = next === undefined;
      const update = new UpdateCommand({
        TableName: table,
        Key: keyOf(id),
        UpdateExpression:
          `SET #state = :state, movedAt = :now, ${isLast ? 'finishedAt = :now' : '#position = :next'}` +
          ' ADD delivered :delivered, gone :gone, failed :failed',
        ConditionExpression: `#state <> :done AND ${
          row.position === undefined ? 'attribute_not_exists(#position)' : '#position = :from'
        }`,
        ExpressionAttributeNames: { '#state': 'state', '#position': 'position' },
        ExpressionAttributeValues: {
          ':state': isLast ? 'done' : 'delivering',
          ':done': 'done',
          ':now': now(),
          ':delivered': counts.delivered,
          ':gone': counts.gone,
          ':failed': counts.failed,
          ...(!isLast && { ':next': next }),
          ...(row.position !== undefined && { ':from': row.position }),
        },
      });
      if (!(await holds(db.send(update)))) return undefined;
      return isLast ? { ...row, state: 'done' } : { ...row, position: next };
    },

    /** Says that nobody works on this shard any more: its job went to the dead-letter queue. */
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
          ':now': now(),
          ':expiresAt': recordExpiry(now()),
          ':zero': 0,
        },
      });
      await holds(db.send(update));
    },
  };
}
