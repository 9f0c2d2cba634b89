import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Position } from '../../protocol/index.ts';
import {
  channelKey,
  type HeadRow,
  headSortKey,
  type LogId,
  type MessageRow,
  messageSortKey,
  type Slot,
} from './items.ts';
import { conditionHeld } from '../tables/conditional-write.ts';

export interface ChannelLogOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly newId: () => string;
  readonly now: () => number;
}

/** A message on its way into a log. */
export interface Entry {
  readonly messageId: string;
  readonly ttlSeconds: number;
  /** The text that receivers get of it, at its slot. */
  readonly frameAt: (position: Position) => string;
}

/** What is known of an append beyond the one that runs it. */
export interface SlotMemory {
  /** The slot that an earlier try of the same append had taken. */
  readonly slot?: Slot | undefined;
  readonly remember: (slot: Slot) => Promise<void>;
}

export type ChannelLog = ReturnType<typeof createChannelLog>;

/** Writes the durable logs of channels, in the state table: an offset is taken first, then the message is put there. */
export function createChannelLog({ db, table, newId, now }: ChannelLogOptions) {
  const keyOf = (log: LogId, sk: string) => ({ pk: channelKey(log), sk });

  /** Takes the next offset; it is nobody else's. A log that does not exist begins. */
  async function take(log: LogId, ttlSeconds: number): Promise<Slot> {
    const takenAt = now();
    const { Attributes } = await db.send(
      new UpdateCommand({
        TableName: table,
        Key: keyOf(log, headSortKey),
        UpdateExpression:
          'SET epoch = if_not_exists(epoch, :epoch), createdAt = if_not_exists(createdAt, :now), movedAt = :now,' +
          ' shortestTtlSeconds = if_not_exists(shortestTtlSeconds, :ttl) ADD #offset :one',
        ExpressionAttributeNames: { '#offset': 'offset' },
        ExpressionAttributeValues: { ':epoch': newId(), ':now': takenAt, ':ttl': ttlSeconds, ':one': 1 },
        ReturnValues: 'ALL_NEW',
      }),
    );
    const head = Attributes as HeadRow;
    if (ttlSeconds < head.shortestTtlSeconds) await shorten(log, ttlSeconds);
    return { epoch: head.epoch, offset: head.offset, takenAt };
  }

  /** Before the message is there: a reader must never take one that has expired for one that was never written. */
  async function shorten(log: LogId, ttlSeconds: number): Promise<void> {
    const update = new UpdateCommand({
      TableName: table,
      Key: keyOf(log, headSortKey),
      UpdateExpression: 'SET shortestTtlSeconds = :ttl',
      ConditionExpression: 'shortestTtlSeconds > :ttl',
      ExpressionAttributeValues: { ':ttl': ttlSeconds },
    });
    // Not so: another writer has just said the same, or less.
    await conditionHeld(db.send(update));
  }

  /** Whether the message stands at this slot now, by this write or an earlier one of the same message. */
  async function put(log: LogId, { messageId, ttlSeconds, frameAt }: Entry, at: Slot): Promise<boolean> {
    const Key = keyOf(log, messageSortKey(at.offset));
    const { epoch, takenAt } = at;
    // From now on: the slot may have been taken long ago, by a publisher that was killed.
    const expiresAt = Math.ceil(now() / 1000) + ttlSeconds;
    const write = new PutCommand({
      TableName: table,
      Item: { ...Key, epoch, messageId, frame: frameAt(at), takenAt, expiresAt },
      // What an earlier life of the log has left is in the way of nothing; what a later one wrote stays.
      ConditionExpression: 'attribute_not_exists(pk) OR (epoch <> :epoch AND takenAt <= :takenAt)',
      ExpressionAttributeValues: { ':epoch': epoch, ':takenAt': takenAt },
    });
    if (await conditionHeld(db.send(write))) return true;
    const { Item } = await db.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
    return (Item as MessageRow | undefined)?.messageId === messageId;
  }

  async function head(log: LogId): Promise<HeadRow | undefined> {
    const Key = keyOf(log, headSortKey);
    const { Item } = await db.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item as HeadRow | undefined;
  }

  return {
    /** Where the log stands; `undefined` where it never began. */
    head,

    /**
     * Appends the message, and resolves to its slot. A slot is remembered before it is written to: an append that is
     * tried again is given it, and so the message stands in the log once. Where a reader has closed the slot as a
     * hole meanwhile, the message gets another.
     */
    async append(log: LogId, entry: Entry, memory: SlotMemory = noMemory): Promise<Slot> {
      let slot = memory.slot && (await head(log))?.epoch === memory.slot.epoch ? memory.slot : undefined;
      for (;;) {
        if (!slot) {
          slot = await take(log, entry.ttlSeconds);
          await memory.remember(slot);
        }
        if (await put(log, entry, slot)) return slot;
        slot = undefined;
      }
    },
  };
}

const noMemory: SlotMemory = { remember: () => Promise.resolve() };
