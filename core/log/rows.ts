import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { channelKey, type HeadRow, type LogId, type MessageRow, messageSortKey, offsetOf } from './items.ts';

/** The offsets above `after`, up to `to`. */
export interface Range {
  readonly after: number;
  readonly to: number;
}

/** The rows of a part of a range. */
export interface RangeRows extends Range {
  /** In order. A row at `after` only tells when the next offsets were taken. */
  readonly rows: readonly MessageRow[];
  /** The offset `to` was taken before, in epoch milliseconds. */
  readonly takenBefore: number;
  /** The bytes that were read for it. */
  readonly bytes: number;
}

/** Reads up to `limit` rows, or about a megabyte. */
export type ReadRows = (range: Range, limit: number) => Promise<RangeRows>;

export interface RowReader {
  /** The rows at the beginning of the range. */
  readonly forward: ReadRows;
  /** The rows at its end. */
  readonly backward: ReadRows;
}

/** About what a row holds besides its frame. DynamoDB charges for it too. */
const rowBytes = 300;

export function createRowReader(
  id: LogId,
  head: HeadRow,
  { db, table }: { readonly db: DynamoDBDocumentClient; readonly table: string },
): RowReader {
  const { epoch, offset: newest, movedAt } = head;

  async function query(from: number, to: number, Limit: number, ScanIndexForward: boolean) {
    const { Items, LastEvaluatedKey } = await db.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: {
          ':pk': channelKey(id),
          ':from': messageSortKey(from),
          ':to': messageSortKey(to),
        },
        ConsistentRead: true,
        Limit,
        ScanIndexForward,
      }),
    );
    const found = (Items ?? []) as MessageRow[];
    const bytes = found.reduce((sum, { frame = '' }) => sum + Buffer.byteLength(frame) + rowBytes, 0);
    return { found, bytes, isAll: LastEvaluatedKey === undefined };
  }

  /** Rows of an earlier epoch will be overwritten. */
  const ofThisEpoch = (rows: readonly MessageRow[]) => rows.filter((row) => row.epoch === epoch);

  const forward: ReadRows = async ({ after, to }, limit) => {
    const { found, bytes, isAll } = await query(after, to, limit + 1, true);
    const rows = found.slice(0, found[0]?.sk === messageSortKey(after) ? limit + 1 : limit);
    const isToEnd = isAll && rows.length === found.length;
    const last = isToEnd ? to : offsetOf(rows.at(-1)?.sk ?? messageSortKey(after));
    return { rows: ofThisEpoch(rows), after, to: last, takenBefore: movedAt, bytes };
  };

  const backward: ReadRows = async ({ after, to }, limit) => {
    const { found, bytes, isAll } = await query(after, to, limit + 1, false);
    // The oldest row belongs to the next page. Here it tells when the offsets above it were taken.
    const oldest = isAll && found.length <= limit ? undefined : found.at(-1);
    const isGapAtEnd = to > after && found[0]?.sk !== messageSortKey(to);
    const above = isGapAtEnd && to < newest ? await query(to + 1, newest, 1, true) : undefined;
    return {
      rows: ofThisEpoch(found.toReversed()),
      after: oldest ? offsetOf(oldest.sk) : after,
      to,
      // Otherwise a gap in the old part of a busy log would count as one whose writer still writes.
      takenBefore: ofThisEpoch(above?.found ?? [])[0]?.takenAt ?? movedAt,
      bytes: bytes + (above?.bytes ?? 0),
    };
  };

  return { forward, backward };
}
