import type { Logger } from '@aws-lambda-powertools/logger';
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { defaultRetentionSeconds } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import { classifyGaps, type Gap, type LogPage, maxWriters } from './gaps.ts';
import { type HeadRow, keyOf, type LogId, messageSortKey } from './items.ts';
import { createRowReader, type Range, type RowReader } from './rows.ts';

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
  /** The same backwards from `before`, which is at most one above the newest offset. */
  readonly pageBefore: (before: number, limit: number) => Promise<PastPage>;
}

/** A part of a log that was read backwards. */
export interface PastPage extends Pick<LogPage, 'bytesRead'> {
  /** Newest first. */
  readonly messages: LogPage['messages'];
  /** The first offset of the range. */
  readonly offset: number;
}

export interface LogReaderOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly clock: Pick<Clock, 'now' | 'wait'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** A writer needs milliseconds between its two writes. One that needs longer finds its slot sealed, and takes another. */
const pausesMs = [50, 100, 200];

/** The first attempt after the pauses seals every gap. TTL may open another one meanwhile. */
const maxAttempts = pausesMs.length + 3;

export function createLogReader(id: LogId, head: HeadRow | undefined, options: LogReaderOptions): LogReader {
  const { db, table, clock, logger } = options;
  if (!head) {
    const nothing: LogPage = { messages: [], offset: 0, skipped: [], bytesRead: 0 };
    const page = () => Promise.resolve(nothing);
    return { id, epoch: '', newest: 0, page, pageBefore: page };
  }
  const { epoch, offset: newest, movedAt } = head;
  const rows = createRowReader(id, head, options);

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

  /** Reads a part of the range into which nobody can write any more. */
  const read = async (direction: keyof RowReader, range: Range, limit: number) => {
    let { after, to } = range;
    let bytesRead = 0;
    for (let attempt = 0; ; attempt += 1) {
      const found = await rows[direction]({ after, to }, limit);
      bytesRead += found.bytes;
      const { open, ...page } = classifyGaps(head, found, clock.now());
      if (open.length === 0) return { ...page, after: found.after, bytesRead };
      if (attempt > maxAttempts) throw new Error('The log began a new epoch while it was read.');
      // More gaps than that are left to the next page.
      const isForward = direction === 'forward';
      const gaps = isForward ? open.slice(0, maxWriters) : open.slice(-maxWriters);
      if (open.length > gaps.length) {
        if (isForward) to = gaps.at(-1)?.offset ?? to;
        else after = (gaps[0]?.offset ?? after + 1) - 1;
      }
      const pauseMs = gaps.every(({ isSettled }) => isSettled) ? undefined : pausesMs[attempt];
      if (pauseMs !== undefined) await clock.wait(pauseMs);
      else {
        const sealed = await Promise.all(gaps.map(seal));
        logger.warn('gaps in a log were sealed', { ...id, gaps: sealed.filter(Boolean).length });
      }
    }
  };

  return {
    id,
    epoch,
    newest,
    async page(after, limit) {
      const { after: _after, ...page } = await read('forward', { after, to: newest }, limit);
      return page;
    },
    async pageBefore(before, limit) {
      const { messages, after, bytesRead } = await read('backward', { after: 0, to: before - 1 }, limit);
      return { messages: messages.toReversed(), offset: after + 1, bytesRead };
    },
  };
}
