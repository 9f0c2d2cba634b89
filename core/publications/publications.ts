import { createHash } from 'node:crypto';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { DeliveryAnswer, Publication, PublishRequest } from '../../protocol/index.ts';
import type { Slot } from '../log/items.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import { type PublicationId, publicationKey, recordExpiry, recordKey } from './items.ts';
import { publicationOf, type PublicationRow } from './view.ts';
import { publisherLostAfterMs } from '../timing.ts';
import type { Clock } from '../clock.ts';
import type { ShardRow } from './progress.ts';

export interface PublicationsOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly clock: Pick<Clock, 'now' | 'newId'>;
}

export type Publications = ReturnType<typeof createPublications>;

/** The caller has the claim and may publish. */
export interface Claimed {
  readonly state: 'claimed';
  readonly claimId: string;
  /** The slot that an earlier publisher took before it failed. */
  readonly slot?: Slot | undefined;
}

export type Claim =
  | Claimed
  /** Another publisher has the claim and is at work. */
  | { readonly state: 'running' }
  | { readonly state: 'answered'; readonly answer: DeliveryAnswer }
  /** The `messageId` belongs to a publication with another body. */
  | { readonly state: 'conflict' }
  /** It waited for its time, and was cancelled before. */
  | { readonly state: 'cancelled' }
  /** No publication waits under this `messageId`. */
  | { readonly state: 'missing' };

/** The records of publications, kept for a day in the state table. */
export function createPublications({ db, table, clock }: PublicationsOptions) {
  async function read(id: PublicationId): Promise<PublicationRow | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName: table, Key: recordKey(id), ConsistentRead: true }),
    );
    const row = Item as PublicationRow | undefined;
    return row && row.expiresAt * 1000 > clock.now() ? row : undefined;
  }

  async function begin(id: PublicationId, requestHash: string, claimId: string): Promise<boolean> {
    const put = new PutCommand({
      TableName: table,
      Item: {
        ...recordKey(id),
        requestHash,
        claimId,
        startedAt: clock.now(),
        expiresAt: recordExpiry(clock.now()),
      },
      ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :nowSeconds',
      ExpressionAttributeValues: { ':nowSeconds': Math.floor(clock.now() / 1000) },
    });
    return conditionHeld(db.send(put));
  }

  /** Takes a record over, if it is still as `condition` says. So one of several publishers gets it. */
  async function takeOver(
    id: PublicationId,
    claimId: string,
    condition: string,
    values: Readonly<Record<string, unknown>>,
  ): Promise<boolean> {
    const update = new UpdateCommand({
      TableName: table,
      Key: recordKey(id),
      UpdateExpression:
        'SET claimId = :claimId, startedAt = :now, expiresAt = :expiresAt REMOVE isReleased, isWaiting, isFailed',
      ConditionExpression: condition,
      ExpressionAttributeValues: {
        ...values,
        ':claimId': claimId,
        ':now': clock.now(),
        ':expiresAt': recordExpiry(clock.now()),
      },
    });
    return conditionHeld(db.send(update));
  }

  /** Claims a publication that has a record. */
  async function claimKnown(
    id: PublicationId,
    row: PublicationRow,
    requestHash: string,
    claimId: string,
  ): Promise<Claim> {
    // Our own claim: the SDK repeated the write after a lost answer.
    if (row.claimId === claimId) return { state: 'claimed', claimId };
    if (row.requestHash !== requestHash) return { state: 'conflict' };
    if (row.answer) return { state: 'answered', answer: row.answer };
    if (row.cancelledAt !== undefined) return { state: 'cancelled' };
    const isFree = row.isWaiting ?? row.isReleased ?? row.startedAt + publisherLostAfterMs < clock.now();
    if (!isFree) return { state: 'running' };
    const isOurs =
      (await takeOver(id, claimId, 'claimId = :before AND attribute_not_exists(finishedAt)', {
        ':before': row.claimId,
      })) || (await read(id))?.claimId === claimId;
    return isOurs ? { state: 'claimed', claimId, slot: row.slot } : { state: 'running' };
  }

  return {
    /** Claims the `messageId` for this request. A conditional write lets one publisher win. */
    async claim(id: PublicationId, requestHash: string): Promise<Claim> {
      const claimId = clock.newId();
      if (await begin(id, requestHash, claimId)) return { state: 'claimed', claimId };
      const row = await read(id);
      // The row was released between our write and our read. The next claim will succeed.
      return row ? claimKnown(id, row, requestHash, claimId) : { state: 'running' };
    },

    /** Claims a publication whose time has come. It begins none: what has no record must not be published. */
    async claimWaiting(id: PublicationId, requestHash: string): Promise<Claim> {
      const claimId = clock.newId();
      const values = { ':hash': requestHash, ':true': true };
      if (await takeOver(id, claimId, 'requestHash = :hash AND isWaiting = :true', values))
        return { state: 'claimed', claimId };
      const row = await read(id);
      return row ? claimKnown(id, row, requestHash, claimId) : { state: 'missing' };
    },

    /** Records the slot before the message is written. A publisher that takes over writes to the same slot. */
    async remember(id: PublicationId, slot: Slot): Promise<void> {
      await db.send(
        new UpdateCommand({
          TableName: table,
          Key: recordKey(id),
          UpdateExpression: 'SET slot = :slot',
          ExpressionAttributeValues: { ':slot': slot },
        }),
      );
    },

    async finish(id: PublicationId, answer: DeliveryAnswer): Promise<void> {
      await db.send(
        new UpdateCommand({
          TableName: table,
          Key: recordKey(id),
          UpdateExpression: 'SET answer = :answer, finishedAt = :now',
          ExpressionAttributeValues: { ':answer': answer, ':now': clock.now() },
        }),
      );
    },

    /**
     * Releases the `messageId` after a failure. If nothing was stored, the record expires now, and any request may
     * claim the id. If the message may be in a log, or was scheduled, only a retry of the same request may.
     */
    async release(id: PublicationId, claimId: string): Promise<void> {
      const free = new UpdateCommand({
        TableName: table,
        Key: recordKey(id),
        UpdateExpression: 'SET expiresAt = :nowSeconds',
        ConditionExpression:
          'claimId = :claimId AND attribute_not_exists(slot) AND attribute_not_exists(deliverAt)',
        ExpressionAttributeValues: { ':claimId': claimId, ':nowSeconds': Math.floor(clock.now() / 1000) },
      });
      if (await conditionHeld(db.send(free))) return;
      const hand = new UpdateCommand({
        TableName: table,
        Key: recordKey(id),
        UpdateExpression: 'SET isReleased = :true',
        // Condition failed: another publisher has the claim. The SDK repeated this release after a lost answer.
        ConditionExpression: 'claimId = :claimId',
        ExpressionAttributeValues: { ':claimId': claimId, ':true': true },
      });
      await conditionHeld(db.send(hand));
    },

    async get(id: PublicationId): Promise<Publication | undefined> {
      const { Items } = await db.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': publicationKey(id) },
          ConsistentRead: true,
        }),
      );
      const [record, ...shards] = (Items ?? []) as [PublicationRow?, ...ShardRow[]];
      if (!record || record.expiresAt * 1000 <= clock.now()) return undefined;
      return publicationOf(id.messageId, record, shards, clock.now());
    },
  };
}

/** Equal for equal requests. The order of the keys in their JSON does not matter. */
export function hashOf(request: PublishRequest): string {
  return createHash('sha256').update(JSON.stringify(request, sortKeys)).digest('base64url');
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
