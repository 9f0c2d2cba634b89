import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Logger } from '@aws-lambda-powertools/logger';
import { defaultRetentionSeconds } from '../../protocol/index.ts';
import { channelKey, type HeadRow, type LogId, type MessageRow, messageSortKey, offsetOf } from './items.ts';
import { classifyGaps, type Gap, type LogPage, maxWriters } from './gaps.ts';
import { conditionHeld } from '../tables/conditional-write.ts';

export interface ChannelReadingOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly log: Pick<Logger, 'warn'>;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

export type ChannelReading = ReturnType<typeof createChannelReading>;

// A writer takes milliseconds between taking an offset and writing there. One that needs longer than all of these
// finds its slot sealed, and takes another.
const pausesMs = [50, 100, 200];

/** Every gap is closed by the first attempt after the pauses; TTL may open another one behind its back. */
const maxAttempts = pausesMs.length + 3;

/** Reads the durable logs of channels, consistently, and settles what writers left half done. */
export function createChannelReading({ db, table, log, now, wait }: ChannelReadingOptions) {
  /** The rows from `after` to `to`; the first tells from when the next ones are. A page of DynamoDB's at most. */
  async function query(id: LogId, { epoch }: HeadRow, after: number, to: number, limit: number) {
    const { Items, LastEvaluatedKey } = await db.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: {
          ':pk': channelKey(id),
          ':from': messageSortKey(after),
          ':to': messageSortKey(to),
        },
        ConsistentRead: true,
        Limit: limit + 1,
      }),
    );
    const found = (Items ?? []) as MessageRow[];
    const rows = found.slice(0, found[0]?.sk === messageSortKey(after) ? limit + 1 : limit);
    const isAll = LastEvaluatedKey === undefined && rows.length === found.length;
    const readTo = isAll ? to : offsetOf(rows.at(-1)?.sk ?? messageSortKey(after));
    // Others are of an earlier life of the log, whose offsets will be written over.
    return { rows: rows.filter((row) => row.epoch === epoch), readTo };
  }

  /** Sees to it that nothing will be written there: a writer that is still alive finds its slot taken. */
  async function seal(
    id: LogId,
    { epoch, movedAt }: HeadRow,
    { offset, takenAt, isHole }: Gap,
  ): Promise<boolean> {
    const write = new PutCommand({
      TableName: table,
      Item: {
        pk: channelKey(id),
        sk: messageSortKey(offset),
        epoch,
        takenAt,
        isHole,
        expiresAt: Math.ceil(now() / 1000) + defaultRetentionSeconds,
      },
      // What an earlier life of the log has left is in the way of nothing; what a later one wrote stays.
      ConditionExpression: 'attribute_not_exists(pk) OR (epoch <> :epoch AND takenAt <= :movedAt)',
      ExpressionAttributeValues: { ':epoch': epoch, ':movedAt': movedAt },
    });
    return conditionHeld(db.send(write));
  }

  return {
    /**
     * What follows `after` in the log, up to its head, `limit` or about a megabyte. An offset that is taken but not
     * written is waited for while its writer may live, for a third of a second, and then closed for good: no message
     * ever appears behind a reader. The head is read before, so that what is beyond it is not missed but new.
     */
    async page(id: LogId, head: HeadRow, after: number, limit: number): Promise<LogPage> {
      let to = head.offset;
      for (let attempt = 0; ; attempt += 1) {
        const { rows, readTo } = await query(id, head, after, to, limit);
        const { open, ...page } = classifyGaps(head, rows, { after, readTo }, now());
        if (open.length === 0) return page;
        if (attempt > maxAttempts) throw new Error('The log was begun anew while it was read.');
        // The next page goes on behind them.
        const gaps = open.slice(0, maxWriters);
        to = open.length > gaps.length ? (gaps.at(-1)?.offset ?? to) : to;
        const pauseMs = gaps.every(({ isSettled }) => isSettled) ? undefined : pausesMs[attempt];
        if (pauseMs !== undefined) await wait(pauseMs);
        else {
          const sealed = await Promise.all(gaps.map((gap) => seal(id, head, gap)));
          log.warn('holes in a log were closed', { ...id, holes: sealed.filter(Boolean).length });
        }
      }
    },
  };
}
