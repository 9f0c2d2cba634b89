import { createHash } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import {
  type Delivered,
  publicationLifetimeMs,
  type Publication,
  type PublishRequest,
} from '../protocol/index.ts';

export interface PublicationsOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly now: () => number;
}

export type Publications = ReturnType<typeof createPublications>;

export interface PublicationId {
  readonly tenant: string;
  readonly messageId: string;
}

export type Claim =
  /** It is ours to publish. */
  | { readonly state: 'claimed' }
  /** The same publication is under way elsewhere. */
  | { readonly state: 'running' }
  | { readonly state: 'answered'; readonly answer: Delivered }
  /** The `messageId` is taken by a publication with another body. */
  | { readonly state: 'conflict' };

// Longer than any function runs: a publication that is still unanswered then has lost its publisher.
const abandonedAfterMs = 60_000;

interface PublicationRow {
  readonly requestHash: string;
  readonly startedAt: number;
  readonly finishedAt?: number;
  readonly answer?: Delivered;
}

/** The records of what was published and what became of it, kept for a day in the messages table. */
export function createPublications({ db, table, now }: PublicationsOptions) {
  async function read(id: PublicationId): Promise<PublicationRow | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName: table, Key: keyOf(id), ConsistentRead: true }),
    );
    const row = Item as (PublicationRow & { expiresAt: number }) | undefined;
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
              expiresAt: Math.ceil((now() + publicationLifetimeMs) / 1000),
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

    async finish(id: PublicationId, answer: Delivered): Promise<void> {
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
      const row = await read(id);
      if (!row) return undefined;
      const { startedAt, finishedAt, answer } = row;
      return {
        messageId: id.messageId,
        status: answer ? 'done' : 'delivering',
        delivered: answer?.delivered ?? 0,
        gone: answer?.gone ?? 0,
        failed: answer?.failed ?? 0,
        pending: 0,
        shards: [],
        startedAt,
        ...(finishedAt !== undefined && { finishedAt }),
      };
    },
  };
}

function keyOf({ tenant, messageId }: PublicationId) {
  return { pk: `PUBLICATION#${tenant}#${messageId.toLowerCase()}`, sk: 'META' };
}

/** Equal for equal requests, whatever the order of the keys in their JSON. */
export function hashOf(request: PublishRequest): string {
  return createHash('sha256').update(JSON.stringify(request, sortKeys)).digest('base64url');
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
