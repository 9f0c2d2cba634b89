import { createHash } from 'node:crypto';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Publication, PublishAnswer, PublishRequest } from '../../protocol/index.ts';
import type { Slot } from '../log/items.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import { type PublicationId, publicationKey, recordExpiry, recordSortKey } from './items.ts';
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
  | { readonly state: 'answered'; readonly answer: PublishAnswer }
  /** The `messageId` belongs to a publication with another body. */
  | { readonly state: 'conflict' };

/** The records of publications, kept for a day in the state table. */
export function createPublications({ db, table, clock }: PublicationsOptions) {
  async function read(id: PublicationId): Promise<PublicationRow | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName: table, Key: keyOf(id), ConsistentRead: true }),
    );
    const row = Item as PublicationRow | undefined;
    return row && row.expiresAt * 1000 > clock.now() ? row : undefined;
  }

  async function begin(id: PublicationId, requestHash: string, claimId: string): Promise<boolean> {
    const put = new PutCommand({
      TableName: table,
      Item: {
        ...keyOf(id),
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

  /** If several publishers find the publication abandoned, one of them takes it over. */
  async function takeOver(id: PublicationId, row: PublicationRow, claimId: string): Promise<boolean> {
    const update = new UpdateCommand({
      TableName: table,
      Key: keyOf(id),
      UpdateExpression: 'SET claimId = :claimId, startedAt = :now, expiresAt = :expiresAt REMOVE isReleased',
      ConditionExpression: 'claimId = :before AND attribute_not_exists(finishedAt)',
      ExpressionAttributeValues: {
        ':claimId': claimId,
        ':before': row.claimId,
        ':now': clock.now(),
        ':expiresAt': recordExpiry(clock.now()),
      },
    });
    return conditionHeld(db.send(update));
  }

  return {
    /** Claims the `messageId` for this request. A conditional write lets one publisher win. */
    async claim(id: PublicationId, requestHash: string): Promise<Claim> {
      const claimId = clock.newId();
      if (await begin(id, requestHash, claimId)) return { state: 'claimed', claimId };
      const row = await read(id);
      // Our own claim: the SDK repeated the write after a lost answer.
      if (row?.claimId === claimId) return { state: 'claimed', claimId };
      // The row was released between our write and our read. The next claim will succeed.
      if (!row) return { state: 'running' };
      if (row.requestHash !== requestHash) return { state: 'conflict' };
      if (row.answer) return { state: 'answered', answer: row.answer };
      const isAbandoned = row.isReleased ?? row.startedAt + publisherLostAfterMs < clock.now();
      if (!isAbandoned) return { state: 'running' };
      const isOurs = (await takeOver(id, row, claimId)) || (await read(id))?.claimId === claimId;
      return isOurs ? { state: 'claimed', claimId, slot: row.slot } : { state: 'running' };
    },

    /** Records the slot before the message is written. A publisher that takes over writes to the same slot. */
    async remember(id: PublicationId, slot: Slot): Promise<void> {
      await db.send(
        new UpdateCommand({
          TableName: table,
          Key: keyOf(id),
          UpdateExpression: 'SET slot = :slot',
          ExpressionAttributeValues: { ':slot': slot },
        }),
      );
    },

    async finish(id: PublicationId, answer: PublishAnswer): Promise<void> {
      await db.send(
        new UpdateCommand({
          TableName: table,
          Key: keyOf(id),
          UpdateExpression: 'SET answer = :answer, finishedAt = :now',
          ExpressionAttributeValues: { ':answer': answer, ':now': clock.now() },
        }),
      );
    },

    /**
     * Releases the `messageId` after a failure. If nothing was stored, the record expires now, and any request may
     * claim the id. If the message may be in a log, only a retry of the same request may.
     */
    async release(id: PublicationId, claimId: string): Promise<void> {
      const free = new UpdateCommand({
        TableName: table,
        Key: keyOf(id),
        UpdateExpression: 'SET expiresAt = :nowSeconds',
        ConditionExpression: 'claimId = :claimId AND attribute_not_exists(slot)',
        ExpressionAttributeValues: { ':claimId': claimId, ':nowSeconds': Math.floor(clock.now() / 1000) },
      });
      if (await conditionHeld(db.send(free))) return;
      const hand = new UpdateCommand({
        TableName: table,
        Key: keyOf(id),
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

function keyOf(id: PublicationId) {
  return { pk: publicationKey(id), sk: recordSortKey };
}

/** Equal for equal requests. The order of the keys in their JSON does not matter. */
export function hashOf(request: PublishRequest): string {
  return createHash('sha256').update(JSON.stringify(request, sortKeys)).digest('base64url');
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
