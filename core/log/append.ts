import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Position } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import {
  headSortKey,
  type HeadRow,
  keyOf,
  type LogId,
  type MessageRow,
  messageSortKey,
  type Slot,
} from './items.ts';

/** A message on its way into a log. */
export interface Entry {
  readonly messageId: string;
  readonly ttlSeconds: number;
  /** The frame's text for receivers, at its position. */
  readonly frameAt: (position: Position) => string;
  /** The form of its content, as the row keeps it. */
  readonly form?: MessageRow['form'];
}

/** Carries the slot of an append from one try to the next. */
export interface SlotMemory {
  /** The slot that an earlier try of the same append had taken. */
  readonly slot?: Slot | undefined;
  readonly remember: (slot: Slot) => Promise<void>;
}

export type Append = (log: LogId, entry: Entry, memory?: SlotMemory) => Promise<Slot>;

const noMemory: SlotMemory = { remember: () => Promise.resolve() };

/** Appends in two writes: the first takes an offset, the second puts the message there. */
export function createAppend(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly clock: Pick<Clock, 'now' | 'newId'>;
  readonly readHead: (log: LogId) => Promise<HeadRow | undefined>;
}): Append {
  const { db, table, clock, readHead } = options;

  /** Takes the next offset, which no other writer gets. The first one begins the log. */
  async function take(log: LogId, ttlSeconds: number): Promise<Slot> {
    const takenAt = clock.now();
    const { Attributes } = await db.send(
      new UpdateCommand({
        TableName: table,
        Key: keyOf(log, headSortKey),
        UpdateExpression:
          'SET epoch = if_not_exists(epoch, :epoch), createdAt = if_not_exists(createdAt, :now), movedAt = :now,' +
          ' shortestTtlSeconds = if_not_exists(shortestTtlSeconds, :ttl) ADD #offset :one',
        ExpressionAttributeNames: { '#offset': 'offset' },
        ExpressionAttributeValues: {
          ':epoch': clock.newId(),
          ':now': takenAt,
          ':ttl': ttlSeconds,
          ':one': 1,
        },
        ReturnValues: 'ALL_NEW',
      }),
    );
    const head = Attributes as HeadRow;
    if (ttlSeconds < head.shortestTtlSeconds) await shorten(log, ttlSeconds);
    return { epoch: head.epoch, offset: head.offset, takenAt };
  }

  /** Runs before the message is written. Otherwise a reader takes an expired message for one never written. */
  async function shorten(log: LogId, ttlSeconds: number): Promise<void> {
    const update = new UpdateCommand({
      TableName: table,
      Key: keyOf(log, headSortKey),
      UpdateExpression: 'SET shortestTtlSeconds = :ttl',
      ConditionExpression: 'shortestTtlSeconds > :ttl',
      ExpressionAttributeValues: { ':ttl': ttlSeconds },
    });
    // Condition failed: an equal or shorter TTL is already stored.
    await conditionHeld(db.send(update));
  }

  /** Whether the message is in this slot now, by this write or an earlier one of the same message. */
  async function put(log: LogId, entry: Entry, at: Slot): Promise<boolean> {
    const { messageId, ttlSeconds, frameAt, form } = entry;
    const Key = keyOf(log, messageSortKey(at.offset));
    const { epoch, takenAt } = at;
    // The TTL counts from now: a publisher that was killed may have taken the slot long ago.
    const expiresAt = Math.ceil(clock.now() / 1000) + ttlSeconds;
    const write = new PutCommand({
      TableName: table,
      Item: { ...Key, epoch, messageId, frame: frameAt(at), takenAt, expiresAt, ...(form && { form }) },
      // A row of an earlier epoch is replaced. A row of a later one stays.
      ConditionExpression: 'attribute_not_exists(pk) OR (epoch <> :epoch AND takenAt <= :takenAt)',
      ExpressionAttributeValues: { ':epoch': epoch, ':takenAt': takenAt },
    });
    if (await conditionHeld(db.send(write))) return true;
    const { Item } = await db.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
    return (Item as MessageRow | undefined)?.messageId === messageId;
  }

  return async (log, entry, memory = noMemory) => {
    let slot = memory.slot;
    if (slot && (await readHead(log))?.epoch !== slot.epoch) slot = undefined;
    for (;;) {
      if (!slot) {
        slot = await take(log, entry.ttlSeconds);
        // The memory learns of the slot before the message is written. A retry then writes to the same slot.
        await memory.remember(slot);
      }
      if (await put(log, entry, slot)) return slot;
      // A reader has sealed the slot.
      slot = undefined;
    }
  };
}
