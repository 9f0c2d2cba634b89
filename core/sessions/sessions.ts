import {
  BatchGetCommand,
  DeleteCommand,
  type DeleteCommandInput,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Closing, Identity, Session } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { ContentAs } from '../content-form.ts';
import { conditionHeld } from '../tables/conditional-write.ts';
import {
  audienceKey,
  expiryOf,
  isOpen,
  memberKey,
  type Recipient,
  sessionOf,
  type SessionRow,
  shardOf,
  userKey,
} from './items.ts';
import { closingEnd, type SessionEnd } from './end.ts';
import type { Subscriptions } from './subscriptions/subscriptions.ts';

export interface SessionsOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  /** The number of partitions that hold a tenant's audience. */
  readonly shards: number;
  readonly subscriptions: Subscriptions;
  readonly clock: Pick<Clock, 'now'>;
}

export type Sessions = ReturnType<typeof createSessions>;

/** A session that opens. Its form of content stays as long as its connection. */
export type NewSession = Omit<Session, 'topics'> & { readonly contentAs?: ContentAs | undefined };

/** A user agent can be kilobytes long, and DynamoDB charges writes by size. */
const maxUserAgentLength = 256;

/** The open sessions, in the sessions table. One write adds a session. One delete removes it. */
export function createSessions(options: SessionsOptions) {
  const { db, table, shards, subscriptions, clock } = options;
  const keyOf = (identity: Identity, connectionId: string) => ({ pk: userKey(identity), sk: connectionId });

  /** Deletes the session's row, then the subscriptions that the row names. */
  async function remove(identity: Identity, connectionId: string, condition: Partial<DeleteCommandInput>) {
    const Key = keyOf(identity, connectionId);
    const { Attributes } = await db.send(
      new DeleteCommand({ TableName: table, Key, ReturnValues: 'ALL_OLD', ...condition }),
    );
    const { topics = [], leaving = [] } = (Attributes ?? {}) as Partial<SessionRow>;
    await subscriptions.clear({ identity, connectionId }, new Set([...topics, ...leaving]));
  }

  async function mark(
    identity: Identity,
    connectionId: string,
    { code, reason }: SessionEnd,
  ): Promise<boolean> {
    const update = new UpdateCommand({
      TableName: table,
      Key: keyOf(identity, connectionId),
      // Without this attribute the row is in no audience. A publish to a type or to everyone finds it no more.
      UpdateExpression: 'SET endedAt = :now, endCode = :code, endReason = :reason REMOVE audience',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(endedAt)',
      ExpressionAttributeValues: { ':now': clock.now(), ':code': code, ':reason': reason },
    });
    return conditionHeld(db.send(update));
  }

  /** The row as it is now, also that of a session that has ended. */
  async function read(identity: Identity, connectionId: string): Promise<SessionRow | undefined> {
    const Key = keyOf(identity, connectionId);
    const { Item } = await db.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item as SessionRow | undefined;
  }

  return {
    async add(session: NewSession): Promise<void> {
      const { connectionId, tenant, userType, connectedAt, tokenExpiresAt, sourceIp, userAgent } = session;
      const { contentAs } = session;
      await db.send(
        new PutCommand({
          TableName: table,
          Item: {
            ...keyOf(session, connectionId),
            connectionId,
            audience: audienceKey(tenant, shardOf(connectionId, shards)),
            member: memberKey(userType, connectionId, contentAs),
            connectedAt,
            tokenExpiresAt,
            expiresAt: expiryOf(connectedAt),
            sourceIp,
            userAgent: userAgent.slice(0, maxUserAgentLength),
          },
        }),
      );
    },

    /**
     * Marks a session as ended, before anything else ends it. From then on no frame of it is handled, and its row takes
     * no other update and is in no audience. Resolves to whether the mark is new: the first reason stays, and a session that is gone gets none.
     */
    markEnded: (identity: Identity, connectionId: string, closing: Closing) =>
      mark(identity, connectionId, closingEnd(closing)),

    /** The same for a connection that the client or API Gateway closed, so that lifecycle targets are told why. */
    recordEnd: mark,

    /** Removes this connection only. A late call never removes a newer session of the same user. */
    remove: (identity: Identity, connectionId: string) => remove(identity, connectionId, {}),

    /** Removes the row that was read. If it has changed or is gone, only the subscription that led to it is removed. */
    async removeGone({ identity, connectionId, connectedAt, topicKey }: Recipient): Promise<void> {
      const removal = remove(identity, connectionId, {
        ConditionExpression: 'connectedAt = :connectedAt',
        ExpressionAttributeValues: { ':connectedAt': connectedAt },
      });
      if (!(await conditionHeld(removal)) && topicKey !== undefined)
        await subscriptions.removeOrphan(topicKey, connectionId);
    },

    row: read,

    /** The session, if it is open. */
    async get(identity: Identity, connectionId: string): Promise<Session | undefined> {
      const row = await read(identity, connectionId);
      return row && isOpen(row, clock.now()) ? sessionOf(row) : undefined;
    },

    /** The sessions of up to 100 recipients. Sessions that are gone are left out. */
    async getMany(recipients: readonly Recipient[]): Promise<Session[]> {
      let keys = recipients.map(({ identity, connectionId }) => keyOf(identity, connectionId));
      const rows: SessionRow[] = [];
      while (keys.length > 0) {
        const { Responses, UnprocessedKeys } = await db.send(
          new BatchGetCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } }),
        );
        rows.push(...((Responses?.[table] ?? []) as SessionRow[]));
        keys = (UnprocessedKeys?.[table]?.Keys ?? []) as typeof keys;
      }
      return rows.filter((row) => isOpen(row, clock.now())).map(sessionOf);
    },
  };
}
