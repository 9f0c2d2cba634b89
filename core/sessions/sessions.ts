import {
  BatchGetCommand,
  DeleteCommand,
  type DeleteCommandInput,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Identity, Session } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
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
import type { Subscriptions } from './subscriptions.ts';

export interface SessionsOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  /** Over how many partitions a tenant's audience is spread. */
  readonly shards: number;
  readonly subscriptions: Subscriptions;
  readonly clock: Pick<Clock, 'now'>;
}

export type Sessions = ReturnType<typeof createSessions>;

/** A user agent can be kilobytes long; every byte is paid for with each write. */
const maxUserAgentLength = 256;

/** The open sessions, in the sessions table. One write adds a session, one delete removes it. */
export function createSessions({ db, table, shards, subscriptions, clock }: SessionsOptions) {
  const keyOf = (identity: Identity, connectionId: string) => ({ pk: userKey(identity), sk: connectionId });

  /** Deletes the row and, by the topics it listed, the subscriptions. */
  async function remove(identity: Identity, connectionId: string, condition: Partial<DeleteCommandInput>) {
    const Key = keyOf(identity, connectionId);
    const { Attributes } = await db.send(
      new DeleteCommand({ TableName: table, Key, ReturnValues: 'ALL_OLD', ...condition }),
    );
    await subscriptions.clear(identity, connectionId, (Attributes as SessionRow | undefined)?.topics ?? []);
  }

  return {
    async add(session: Omit<Session, 'topics'>): Promise<void> {
      const { connectionId, tenant, userType, connectedAt, tokenExpiresAt, sourceIp, userAgent } = session;
      await db.send(
        new PutCommand({
          TableName: table,
          Item: {
            ...keyOf(session, connectionId),
            connectionId,
            audience: audienceKey(tenant, shardOf(connectionId, shards)),
            member: memberKey(userType, connectionId),
            connectedAt,
            tokenExpiresAt,
            expiresAt: expiryOf(connectedAt),
            sourceIp,
            userAgent: userAgent.slice(0, maxUserAgentLength),
          },
        }),
      );
    },

    /** Removes this very connection: a late call never touches a newer session of the same user. */
    remove: (identity: Identity, connectionId: string) => remove(identity, connectionId, {}),

    /** Removes the row as it was read, and the subscription it was found by; a row written anew since then stays. */
    async removeGone({ identity, connectionId, connectedAt, topicKey }: Recipient): Promise<void> {
      const removal = remove(identity, connectionId, {
        ConditionExpression: 'connectedAt = :connectedAt',
        ExpressionAttributeValues: { ':connectedAt': connectedAt },
      });
      if (!(await conditionHeld(removal)) && topicKey !== undefined)
        await subscriptions.removeOrphan(topicKey, connectionId);
    },

    /**
     * Lets the session live until then, if that is later, with all its subscriptions. Resolves to when its token
     * expires now, to `undefined` where there is no such session (any more).
     */
    async refresh(
      identity: Identity,
      connectionId: string,
      tokenExpiresAt: number,
    ): Promise<number | undefined> {
      const Key = keyOf(identity, connectionId);
      const update = new UpdateCommand({
        TableName: table,
        Key,
        UpdateExpression: 'SET tokenExpiresAt = :tokenExpiresAt',
        ConditionExpression: 'tokenExpiresAt < :tokenExpiresAt',
        ExpressionAttributeValues: { ':tokenExpiresAt': tokenExpiresAt },
      });
      await conditionHeld(db.send(update));
      const { Item } = await db.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
      const row = Item as SessionRow | undefined;
      // Whether or not the row moved now: an earlier try may have failed between the row and its subscriptions.
      if (row) await subscriptions.refresh(identity, connectionId, row.topics ?? [], row.tokenExpiresAt);
      return row?.tokenExpiresAt;
    },

    async get(identity: Identity, connectionId: string): Promise<Session | undefined> {
      const { Item } = await db.send(
        new GetCommand({ TableName: table, Key: keyOf(identity, connectionId), ConsistentRead: true }),
      );
      const row = Item as SessionRow | undefined;
      return row && isOpen(row, clock.now()) ? sessionOf(row) : undefined;
    },

    /** The whole rows of up to 100 recipients, for those that are still there. */
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
