import type { Logger } from '@aws-lambda-powertools/logger';
import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { defaultRetentionSeconds } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import { classifyGaps, type Gap, type LogPage, maxWriters } from './gaps.ts';
import {
  channelKey,
  type HeadRow,
  keyOf,
  type LogId,
  type MessageRow,
  messageSortKey,
  offsetOf,
} from './items.ts';

/** One log as it was when it was opened. It leaves out messages that were appended later. */
export interface LogReader {
  readonly id: LogId;
  /** Empty if nothing was ever appended. */
  readonly epoch: string;
  /** Offset of the newest message; 0 if there is none. */
  readonly newest: number;
  /**
   * The messages after `after`: up to `limit`, or about a megabyte. A gap whose writer may still write is waited for,
   * up to a third of a second. Then the gap is sealed, so that no message appears behind a reader.
   */
  readonly page: (after: number, limit: number) => Promise<LogPage>;
}

export interface LogReaderOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly clock: Pick<Clock, 'now' | 'wait'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** About what a row holds besides its frame. DynamoDB charges for it too. */
const rowBytes = 300;

/** A writer needs milliseconds between its two writes. One that needs longer finds its slot sealed, and takes another. */
const pausesMs = [50, 100, 200];

/** The first attempt after the pauses seals every gap. TTL may open another one meanwhile. */
const maxAttempts = pausesMs.length + 3;

export function createLogReader(id: LogId, head: HeadRow | undefined, options: LogReaderOptions): LogReader {
  const { db, table, clock, logger } = options;
  if (!head) {
    const nothing: LogPage = { messages: [], offset: 0, skipped: [], bytesRead: 0 };
    return { id, epoch: '', newest: 0, page: () => Promise.resolve(nothing) };
  }
  const { epoch, offset: newest, movedAt } = head;

  /** Rows from `after` to `to`. The row at `after` tells when the next offsets were taken. */
  async function query(after: number, to: number, limit: number) {
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
    const bytes = found.reduce((sum, { frame = '' }) => sum + Buffer.byteLength(frame) + rowBytes, 0);
    // Rows of an earlier epoch will be overwritten.
    return { rows: rows.filter((row) => row.epoch === epoch), readTo, bytes };
  }

  /** Writes a row without a message. A writer that is still alive then finds its slot sealed. */
  async function seal({ offset, takenAt, isHole }: Gap): Promise<boolean> {
    const write = new PutCommand({
      TableName: table,
      Item: {
        ...keyOf(id, messageSortKey(offset)),
        epoch,
        takenAt,
        isHole,
        expiresAt: Math.ceil(clock.now() / 1000) + defaultRetentionSeconds,
      },
      // A row of an earlier epoch is replaced. A row of a later one stays.
      ConditionExpression: 'attribute_not_exists(pk) OR (epoch <> :epoch AND takenAt <= :movedAt)',
      ExpressionAttributeValues: { ':epoch': epoch, ':movedAt': movedAt },
    });
    return conditionHeld(db.send(write));
  }

  const page = async (after: number, limit: number): Promise<LogPage> => {
    let to = newest;
    let bytesRead = 0;
    for (let attempt = 0; ; attempt += 1) {
      const { rows, readTo, bytes } = await query(after, to, limit);
      bytesRead += bytes;
      const { open, ...read } = classifyGaps(head, rows, { after, readTo }, clock.now());
      if (open.length === 0) return { ...read, bytesRead };
      if (attempt > maxAttempts) throw new Error('The log began a new epoch while it was read.');
      // More gaps than that are left to the next page.
      const gaps = open.slice(0, maxWriters);
      to = open.length > gaps.length ? (gaps.at(-1)?.offset ?? to) : to;
      const pauseMs = gaps.every(({ isSettled }) => isSettled) ? undefined : pausesMs[attempt];
      if (pauseMs !== undefined) await clock.wait(pauseMs);
      else {
        const sealed = await Promise.all(gaps.map(seal));
        logger.warn('gaps in a log were sealed', { ...id, gaps: sealed.filter(Boolean).length });
      }
    }
  };

  return { id, epoch, newest, page };
}
