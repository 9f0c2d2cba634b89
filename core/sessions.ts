import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { connectionLifetimeMs, type Identity, type Session } from '../protocol/index.ts';
import { audienceKey, memberKey, memberPrefix, shardOf, userKey, userOf } from './session-keys.ts';

/** What a delivery needs of a session. */
export interface Recipient {
  readonly connectionId: string;
  readonly identity: Identity;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
}

/** Where a page of an index ended; opaque to all but the database. */
export type PageKey = Record<string, unknown>;

export interface RecipientPage {
  readonly recipients: readonly Recipient[];
  readonly next: PageKey | undefined;
}

export interface SessionsOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  /** Over how many partitions a tenant's audience is spread. */
  readonly shards: number;
  readonly now: () => number;
}

export type Sessions = ReturnType<typeof createSessions>;

// After two hours a connection is certainly gone. The margin covers a slow handshake and clocks that differ.
const lifetimeWithMarginMs = connectionLifetimeMs + 10 * 60 * 1000;

/** A user agent can be kilobytes long; every byte is paid for with each write. */
const maxUserAgentLength = 256;

interface SessionRow {
  readonly pk: string;
  readonly sk: string;
  readonly connectedAt: number;
  readonly tokenExpiresAt: number;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly topics?: Set<string>;
}

/** The open sessions, in the sessions table. One write adds a session, one delete removes it. */
export function createSessions({ db, table, shards, now }: SessionsOptions) {
  async function query(input: Omit<QueryCommandInput, 'TableName'>): Promise<RecipientPage> {
    const page = await db.send(new QueryCommand({ TableName: table, ...input }));
    const rows = (page.Items ?? []) as SessionRow[];
    return { recipients: rows.filter(isOpen).map(recipientOf), next: page.LastEvaluatedKey };
  }

  // The TTL removes rows within days, not seconds, and a token may have expired on an open connection.
  function isOpen(row: SessionRow): boolean {
    return row.tokenExpiresAt > now() && row.connectedAt + lifetimeWithMarginMs > now();
  }

  return {
    async add(session: Omit<Session, 'topics'>): Promise<void> {
      const { connectionId, tenant, userType, connectedAt, tokenExpiresAt, sourceIp, userAgent } = session;
      await db.send(
        new PutCommand({
          TableName: table,
          Item: {
            pk: userKey(session),
            sk: connectionId,
            connectionId,
            audience: audienceKey(tenant, shardOf(connectionId, shards)),
            member: memberKey(userType, connectionId),
            connectedAt,
            tokenExpiresAt,
            expiresAt: Math.ceil((connectedAt + lifetimeWithMarginMs) / 1000),
            sourceIp,
            userAgent: userAgent.slice(0, maxUserAgentLength),
          },
        }),
      );
    },

    /** Removes this very connection: a late call never touches a newer session of the same user. */
    async remove(identity: Identity, connectionId: string): Promise<void> {
      await db.send(
        new DeleteCommand({ TableName: table, Key: { pk: userKey(identity), sk: connectionId } }),
      );
    },

    /** Removes the row as it was read; a row written anew since then stays. */
    async removeGone({ identity, connectionId, connectedAt }: Recipient): Promise<void> {
      try {
        await db.send(
          new DeleteCommand({
            TableName: table,
            Key: { pk: userKey(identity), sk: connectionId },
            ConditionExpression: 'connectedAt = :connectedAt',
            ExpressionAttributeValues: { ':connectedAt': connectedAt },
          }),
        );
      } catch (cause) {
        if (!(cause instanceof ConditionalCheckFailedException)) throw cause;
      }
    },

    async get(identity: Identity, connectionId: string): Promise<Session | undefined> {
      const { Item } = await db.send(
        new GetCommand({
          TableName: table,
          Key: { pk: userKey(identity), sk: connectionId },
          ConsistentRead: true,
        }),
      );
      const row = Item as SessionRow | undefined;
      return row && isOpen(row) ? sessionOf(row) : undefined;
    },

    /** The whole rows of up to 100 recipients, for those that are still there. */
    async getMany(recipients: readonly Recipient[]): Promise<Session[]> {
      let keys = recipients.map(({ identity, connectionId }) => ({
        pk: userKey(identity),
        sk: connectionId,
      }));
      const rows: SessionRow[] = [];
      while (keys.length > 0) {
        const { Responses, UnprocessedKeys } = await db.send(
          new BatchGetCommand({ RequestItems: { [table]: { Keys: keys } } }),
        );
        rows.push(...((Responses?.[table] ?? []) as SessionRow[]));
        keys = (UnprocessedKeys?.[table]?.Keys ?? []) as typeof keys;
      }
      return rows.filter(isOpen).map(sessionOf);
    },

    /** A page of a user's sessions, whole and consistent. */
    async sessionsOfUser(identity: Identity, limit: number, from?: PageKey) {
      const page = await db.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :user',
          ExpressionAttributeValues: { ':user': userKey(identity) },
          ConsistentRead: true,
          Limit: limit,
          ...(from && { ExclusiveStartKey: from }),
        }),
      );
      const rows = (page.Items ?? []) as SessionRow[];
      return { sessions: rows.filter(isOpen).map(sessionOf), next: page.LastEvaluatedKey };
    },

    ofUser(identity: Identity, from?: PageKey): Promise<RecipientPage> {
      return query({
        KeyConditionExpression: 'pk = :user',
        ExpressionAttributeValues: { ':user': userKey(identity) },
        ConsistentRead: true,
        ...(from && { ExclusiveStartKey: from }),
      });
    },

    /** One shard of a tenant's audience, of one user type or of all. */
    ofAudience(
      {
        tenant,
        userType,
        shard,
        limit,
      }: { tenant: string; userType?: string; shard: number; limit?: number },
      from?: PageKey,
    ): Promise<RecipientPage> {
      const ofType = userType === undefined ? '' : ' AND begins_with(#member, :prefix)';
      return query({
        IndexName: 'byAudience',
        KeyConditionExpression: `audience = :audience${ofType}`,
        ...(userType !== undefined && { ExpressionAttributeNames: { '#member': 'member' } }),
        ExpressionAttributeValues: {
          ':audience': audienceKey(tenant, shard),
          ...(userType !== undefined && { ':prefix': memberPrefix(userType) }),
        },
        ...(limit !== undefined && { Limit: limit }),
        ...(from && { ExclusiveStartKey: from }),
      });
    },

    async byConnection(connectionId: string): Promise<Recipient | undefined> {
      const { recipients } = await query({
        IndexName: 'byConnection',
        KeyConditionExpression: 'connectionId = :connectionId',
        ExpressionAttributeValues: { ':connectionId': connectionId },
      });
      return recipients[0];
    },

    shards,
  };
}

function recipientOf({ pk, sk, connectedAt }: SessionRow): Recipient {
  return { connectionId: sk, identity: userOf(pk), connectedAt };
}

function sessionOf(row: SessionRow): Session {
  const { connectedAt, tokenExpiresAt, sourceIp, userAgent } = row;
  const topics = [...(row.topics ?? [])].sort();
  return {
    connectionId: row.sk,
    ...userOf(row.pk),
    connectedAt,
    tokenExpiresAt,
    topics,
    sourceIp,
    userAgent,
  };
}
