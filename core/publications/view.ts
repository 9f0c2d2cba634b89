import type {
  DeliveryAnswer,
  DeliveryCounts,
  DeliveryStatus,
  Publication,
  PublicationShard,
} from '../../protocol/index.ts';
import type { Slot } from '../log/items.ts';
import { fanOutLostAfterMs, publisherLostAfterMs } from '../timing.ts';
import type { ShardRow } from './progress.ts';

/** The record of a publication in the state table. Times are epoch milliseconds, `expiresAt` epoch seconds. */
export interface PublicationRow {
  readonly requestHash: string;
  /** The claim of the current publisher, or of the last one. */
  readonly claimId: string;
  readonly startedAt: number;
  /** When the answer was stored. */
  readonly finishedAt?: number;
  readonly answer?: DeliveryAnswer;
  /** The slot of a durable message in its log. The message may not be written there yet. */
  readonly slot?: Slot;
  /** The publisher failed and released its claim. A retry may take over. */
  readonly isReleased?: true;
  /** The time that it was scheduled for. */
  readonly deliverAt?: number;
  /** Its time has not come, or no worker has begun with it. */
  readonly isWaiting?: true;
  /** A worker failed too often. */
  readonly isFailed?: true;
  readonly cancelledAt?: number;
  readonly expiresAt: number;
}

/** The state of a publication, from its record and its shards' rows. */
export function publicationOf(
  messageId: string,
  row: PublicationRow,
  rows: readonly ShardRow[],
  now: number,
): Publication {
  const { deliverAt } = row;
  if (deliverAt === undefined) return progressOf(messageId, row, rows, now);
  return { ...(waitingOf(messageId, row) ?? progressOf(messageId, row, rows, now)), deliverAt };
}

/** A publication that was scheduled and is not under way. `undefined`: it is, or was. */
function waitingOf(messageId: string, row: PublicationRow): Publication | undefined {
  const { startedAt, cancelledAt, isWaiting, isFailed } = row;
  const none = { delivered: 0, gone: 0, failed: 0, pending: 0, shards: [] };
  if (cancelledAt !== undefined)
    return { messageId, status: 'cancelled', ...none, startedAt, finishedAt: cancelledAt };
  if (isFailed) return { messageId, status: 'failed', ...none, startedAt };
  return isWaiting && { messageId, status: 'scheduled', ...none, startedAt };
}

function progressOf(
  messageId: string,
  { answer, startedAt, finishedAt, deliverAt }: PublicationRow,
  rows: readonly ShardRow[],
  now: number,
): Publication {
  if (answer?.status === 'delivered') {
    const { delivered, gone, failed } = answer;
    const end = { ...(finishedAt !== undefined && { finishedAt }) };
    return { messageId, status: 'done', delivered, gone, failed, pending: 0, shards: [], startedAt, ...end };
  }
  // The publisher was killed, and no retry took over. The queue retries what was scheduled.
  const isAbandoned =
    answer === undefined && deliverAt === undefined && startedAt + publisherLostAfterMs < now;
  const shards = Array.from({ length: answer?.shards ?? 0 }, (_, shard) =>
    shardOf(
      shard,
      rows.find((row) => row.shard === shard),
      startedAt,
      now,
    ),
  );
  const status = isAbandoned ? 'failed' : statusOf(shards);
  return {
    messageId,
    status,
    delivered: sum(shards, 'delivered'),
    gone: sum(shards, 'gone'),
    failed: sum(shards, 'failed'),
    pending: sum(shards, 'pending'),
    shards,
    startedAt,
    ...(shards.length > 0 &&
      status !== 'delivering' && {
        finishedAt: Math.max(...shards.map((each) => each.finishedAt ?? startedAt)),
      }),
  };
}

function shardOf(
  shard: number,
  row: ShardRow | undefined,
  publishedAt: number,
  now: number,
): PublicationShard {
  const isAbandoned = (row?.movedAt ?? publishedAt) + fanOutLostAfterMs < now;
  if (!row) {
    return {
      shard,
      status: isAbandoned ? 'failed' : 'delivering',
      delivered: 0,
      gone: 0,
      failed: 0,
      pending: 0,
    };
  }
  const { state, delivered, gone, failed, estimate, startedAt, finishedAt } = row;
  return {
    shard,
    status: state === 'delivering' && isAbandoned ? 'failed' : state,
    delivered,
    gone,
    failed,
    // Recipients that a failed shard did not reach stay pending, because they were not sent the message.
    pending: state === 'done' ? 0 : Math.max(0, estimate - delivered - gone - failed),
    startedAt,
    ...(finishedAt !== undefined && { finishedAt }),
  };
}

/** `failed` only if no shard is still delivering. */
function statusOf(shards: readonly PublicationShard[]): DeliveryStatus {
  if (shards.length === 0 || shards.some(({ status }) => status === 'delivering')) return 'delivering';
  return shards.some(({ status }) => status === 'failed') ? 'failed' : 'done';
}

function sum(shards: readonly PublicationShard[], count: keyof DeliveryCounts): number {
  return shards.reduce((total, shard) => total + shard[count], 0);
}
