import { createHash } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Publication, PublishAnswer, PublishRequest } from '../protocol/index.ts';
import { type PublicationId, publicationKey, recordExpiry, recordSortKey } from './publication-keys.ts';
import { publicationOf, type PublicationRow } from './publication-view.ts';
import type { ShardRow } from './shard-progress.ts';

export interface PublicationsOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly now: () => number;
}

export type Publications = ReturnType<typeof createPublications>;

export type Claim =
  /** It is ours to publish. */
  | { readonly state: 'claimed' }
  /** The same publication is under way elsewhere. */
  | { readonly state: 'running' }
  | { readonly state: 'answered'; readonly answer: PublishAnswer }
  /** The `messageId` is taken by a publication with another body. */
  | { readonly state: 'conflict' };

// Longer than any function runs: a publication that is still unanswered then has lost its publisher.
const abandonedAfterMs = 60_000;

/** The records of what was published and what became of it, kept for a day in the messages table. */
export function createPublications({ db, table, now }: PublicationsOptions) {
  async function read(id: PublicationId): Promise<PublicationRow | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName: table, Key: keyOf(id), ConsistentRead: true }),
    );
    const row = Item as PublicationRow | undefined;
    return row && row.expiresAt * 1000 > now() ? row : undefined;
  }

  return {
    /** Takes the `messageId` for this request, unless it is taken; one conditional write decides. */
    async claim(id: PublicationId, requestHash: string): Promise<Claim> {
      try {
        await db.send(
          new PutCommand({
            TableName: table,
            Item: {
              ...keyOf(id),
              requestHash,
              startedAt: now(),
              expiresAt: recordExpiry(now()),
            },
            ConditionExpression:
              'attribute_not_exists(pk) OR expiresAt <= :nowSeconds' +
              ' OR (requestHash = :hash AND attribute_not_exists(finishedAt) AND startedAt < :abandoned)',
            ExpressionAttributeValues: {
              ':nowSeconds': Math.floor(now() / 1000),
              ':hash': requestHash,
              ':abandoned': now() - abandonedAfterMs,
            },
          }),
        );
        return { state: 'claimed' };
      } catch (cause) {
        if (!(cause instanceof ConditionalCheckFailedException)) throw cause;
      }
      const row = await read(id);
      if (row && row.requestHash !== requestHash) return { state: 'conflict' };
      // No row: its publisher gave it back between our write and our read. The next claim will win.
      return row?.answer ? { state: 'answered', answer: row.answer } : { state: 'running' };
    },

    async finish(id: PublicationId, answer: PublishAnswer): Promise<void> {
      await db.send(
        new UpdateCommand({
          TableName: table,
          Key: keyOf(id),
          UpdateExpression: 'SET answer = :answer, finishedAt = :now',
          ExpressionAttributeValues: { ':answer': answer, ':now': now() },
        }),
      );
    },

    /** Gives the `messageId` back: nothing was published, and a retry may. An expired row is none, and TTL removes it. */
    async release(id: PublicationId): Promise<void> {
      await db.send(
        new UpdateCommand({
          TableName: table,
          Key: keyOf(id),
          UpdateExpression: 'SET expiresAt = :nowSeconds',
          ExpressionAttributeValues: { ':nowSeconds': Math.floor(now() / 1000) },
        }),
      );
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
      if (!record || record.expiresAt * 1000 <= now()) return undefined;
      return publicationOf(id.messageId, record, shards, now());
    },
  };
}

function keyOf(id: PublicationId) {
  return { pk: publicationKey(id), sk: recordSortKey };
}

/** Equal for equal requests, whatever the order of the keys in their JSON. */
export function hashOf(request: PublishRequest): string {
  return createHash('sha256').update(JSON.stringify(request, sortKeys)).digest('base64url');
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
