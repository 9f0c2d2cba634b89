import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import {
  formatTarget,
  type Identity,
  name,
  type PublishRequest,
  readPublishRequest,
} from '../../protocol/index.ts';
import { readJson } from '../json.ts';
import { waitingExpiry } from '../publications/items.ts';
import { shardOf } from '../sessions/items.ts';
import { writeAll } from '../tables/batch-write.ts';
import { conditionHeld } from '../tables/conditional-write.ts';

/** One message that waits for its time. */
export interface DueMessage {
  readonly tenant: string;
  readonly messageId: string;
  /** Epoch milliseconds. */
  readonly deliverAt: number;
  /** The hash of the request. It tells the message from another one that was refused under the same `messageId`. */
  readonly hash: string;
}

/** What is published when the time has come. */
export interface WaitingMessage {
  readonly request: PublishRequest;
  /** The user who caused it, if one did. */
  readonly from: Identity | undefined;
  /** The content is JSON text, because its sender writes so. */
  readonly form?: 'text' | undefined;
}

export type ScheduledMessages = ReturnType<typeof createScheduledMessages>;

/**
 * The partitions that hold the times. A partition takes 1,000 writes a second, and a message makes two. A change of this
 * number would lose the messages that wait in a partition that is no longer read.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-key-range-limit-exceeded-mitigation.html
 */
export const dueShards = 8;

const identity = z.object({ tenant: name, userType: name, userId: name });
const waitingMessage = z.object({
  request: z.unknown(),
  from: z.optional(identity),
  form: z.optional(z.literal('text')),
});

/**
 * The messages that wait, in the state table. Each has two rows: a small one that sorts by time, and one with the
 * request, which may have 128 KB. So the tick reads little. Both are deleted after the delivery: what is left, is due.
 */
export function createScheduledMessages(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
}) {
  const { db, table: TableName } = options;

  return {
    /** Writes both rows. The same message again changes nothing. */
    async put(due: DueMessage, { request, from, form }: WaitingMessage): Promise<void> {
      const expiresAt = waitingExpiry(due.deliverAt);
      const body = JSON.stringify({ request: { ...request, to: request.to.map(formatTarget) }, from, form });
      // A time without a request would count as delivered.
      await db.send(new PutCommand({ TableName, Item: { ...requestKey(due), body, expiresAt } }));
      await db.send(new PutCommand({ TableName, Item: { ...dueKey(due), ...due, expiresAt } }));
    },

    /** The messages by their `idOf`, 100 at most. What is missing was delivered or cancelled. */
    async read(dues: readonly DueMessage[]): Promise<ReadonlyMap<string, WaitingMessage>> {
      const found = new Map<string, WaitingMessage>();
      // A batch must not name a row twice.
      const keys = new Map(dues.map((due) => [idOf(due), requestKey(due)]));
      let Keys = [...keys.values()];
      while (Keys.length > 0) {
        const request = { [TableName]: { Keys, ConsistentRead: true } };
        const { Responses, UnprocessedKeys } = await db.send(new BatchGetCommand({ RequestItems: request }));
        for (const item of Responses?.[TableName] ?? []) {
          const { body, ...key } = z.parse(requestRow, item);
          const { request, ...sender } = readJson(waitingMessage, body, 'The scheduled message');
          found.set(nameOf(key), {
            request: readPublishRequest(request),
            from: sender.from,
            form: sender.form,
          });
        }
        Keys = z.parse(z.array(rowKey), UnprocessedKeys?.[TableName]?.Keys ?? []);
      }
      return found;
    },

    async remove(due: DueMessage): Promise<void> {
      const keys = [requestKey(due), dueKey(due)];
      await Promise.all(keys.map((Key) => db.send(new DeleteCommand({ TableName, Key }))));
    },

    /** Removes many at once. */
    async removeAll(dues: readonly DueMessage[]): Promise<void> {
      const keys = dues.flatMap((due) => [requestKey(due), dueKey(due)]);
      const unique = new Map(keys.map((key) => [nameOf(key), key]));
      await writeAll(
        db,
        TableName,
        [...unique.values()].map((Key) => ({ DeleteRequest: { Key } })),
      );
    },

    /** Takes a message off the times, but keeps its request. */
    async forget(due: DueMessage): Promise<void> {
      await writeAll(db, TableName, [{ DeleteRequest: { Key: dueKey(due) } }]);
    },

    /** The messages of one shard that are due from `from` on and before `until`, the oldest first, in pages. */
    async *due(
      shard: number,
      { from, until }: { from: number; until: number },
    ): AsyncGenerator<readonly DueMessage[], undefined> {
      let ExclusiveStartKey: Record<string, unknown> | undefined;
      do {
        const page = await db.send(
          new QueryCommand({
            TableName,
            // A key has text behind its time, so the key of `until` itself is not in the range.
            KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :until',
            ExpressionAttributeValues: {
              ':pk': shardKey(shard),
              ':from': timeKey(from),
              ':until': timeKey(until),
            },
            ConsistentRead: true,
            Limit: duePage,
            ExclusiveStartKey,
          }),
        );
        yield (page.Items ?? []).map(readDueRow);
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey);
      return undefined;
    },

    /** Every message that is due before this time has been handed to the queue. */
    async queuedUntil(): Promise<number> {
      const { Item } = await db.send(new GetCommand({ TableName, Key: cursorKey, ConsistentRead: true }));
      return z.parse(cursor, Item ?? {}).queuedUntil;
    },

    async moveQueuedUntil(epochMs: number): Promise<void> {
      const update = new UpdateCommand({
        TableName,
        Key: cursorKey,
        UpdateExpression: 'SET queuedUntil = :until',
        ConditionExpression: 'attribute_not_exists(queuedUntil) OR queuedUntil < :until',
        ExpressionAttributeValues: { ':until': epochMs },
      });
      // Condition failed: another tick is further.
      await conditionHeld(db.send(update));
    },
  };
}

/** Rows in one page. The tick sends a page before it reads the next one. */
export const duePage = 500;

const cursorKey = { pk: 'DUE', sk: 'CURSOR' };
const cursor = z.object({ queuedUntil: z._default(z.number(), 0) });

const dueRow = z.object({ tenant: name, messageId: z.string(), deliverAt: z.number(), hash: z.string() });

function readDueRow(item: unknown): DueMessage {
  return z.parse(dueRow, item);
}

/** Reads a message of the queue. Throws if it is none. */
export function readDue(body: string): DueMessage {
  return readJson(dueRow, body, 'The scheduled message');
}

const rowKey = z.object({ pk: z.string(), sk: z.string() });
const requestRow = z.extend(rowKey, { body: z.string() });

/** What tells a message from all others. */
export function idOf(due: DueMessage): string {
  return nameOf(requestKey(due));
}

function nameOf({ pk, sk }: z.output<typeof rowKey>): string {
  return `${pk}#${sk}`;
}

function requestKey({ tenant, messageId, hash }: DueMessage) {
  return { pk: `SCHEDULED#${tenant}#${messageId}`, sk: hash };
}

function dueKey({ tenant, messageId, deliverAt, hash }: DueMessage) {
  const pk = shardKey(shardOf(messageId, dueShards));
  return { pk, sk: `${timeKey(deliverAt)}#${tenant}#${messageId}#${hash}` };
}

function shardKey(shard: number): string {
  return `DUE#${String(shard)}`;
}

/** So many digits that times sort as numbers do, until the year 5138. */
function timeKey(epochMs: number): string {
  return String(epochMs).padStart(14, '0');
}
