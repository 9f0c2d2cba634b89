import { type DynamoDBDocumentClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Identity } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { wrongCursor } from '../tables/page-cursor.ts';
import {
  audienceKey,
  isOpen,
  mayBeConnected,
  memberKey,
  memberPrefix,
  oldestConnection,
  type Recipient,
  recipientOf,
  type SessionRow,
  shardOf,
  type SubscriptionRow,
  topicKey,
  userKey,
  userOf,
} from './items.ts';

export interface RecipientPage {
  readonly recipients: readonly Recipient[];
  /** The `after` of the next page. Absent at the end. */
  readonly next: string | undefined;
}

export interface PageOptions {
  /** The most rows to read. Rows of closed sessions count too. */
  readonly limit?: number | undefined;
  /** The `next` of an earlier page. */
  readonly after?: string | undefined;
  /** Also sessions that have ended, whose connection may still be there. Indexes do not tell. @default false */
  readonly includesEnded?: boolean;
}

export interface AudienceShard {
  readonly tenant: string;
  readonly shard: number;
  /** @default - all types */
  readonly userType?: string;
}

export interface TopicShard {
  readonly tenant: string;
  readonly topic: string;
  readonly shard: number;
}

/** Rows of one partition whose sort key lies between two bounds. */
interface Range {
  readonly partition: string;
  readonly value: string;
  readonly sort: string;
  readonly from?: string;
  readonly to?: string;
}

export type Recipients = ReturnType<typeof createRecipients>;

// Sorts after every connection id with the same beginning, because no id holds a character above `z`.
const last = '~';

// Sorts after the `#` in front of a form, and before every character of a connection id. So no id is skipped.
const behind = '$';

/** Finds the sessions behind a target, in pages ordered by the sort key. */
export function createRecipients(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly shards: number;
  readonly clock: Pick<Clock, 'now'>;
}) {
  const { db, table, shards, clock } = options;

  function queryOf({ partition, value, sort, from = ' ', to = last }: Range, { limit, after }: PageOptions) {
    // Positions come back from callers, as cursors. Any other one would read rows that the caller did not ask for.
    if (after !== undefined && (after < from || after >= to)) throw wrongCursor();
    return {
      TableName: table,
      KeyConditionExpression: '#partition = :value AND #sort BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#partition': partition, '#sort': sort },
      ExpressionAttributeValues: {
        ':value': value,
        // Leaves `after` itself out.
        ':from': after === undefined ? from : after + behind,
        ':to': to,
      },
      Limit: limit,
    };
  }

  async function page(range: Range, options: PageOptions, rest: Partial<QueryCommandInput>) {
    const query = { ...queryOf(range, options), ...rest };
    const isWanted = options.includesEnded ? mayBeConnected : isOpen;
    const { Items, LastEvaluatedKey } = await db.send(new QueryCommand(query));
    const rows = (Items ?? []) as (SessionRow | SubscriptionRow)[];
    const next = LastEvaluatedKey?.[range.sort] as string | undefined;
    return { recipients: rows.filter((row) => isWanted(row, clock.now())).map(recipientOf), next };
  }

  async function count(range: Range, rest: Partial<QueryCommandInput>): Promise<number> {
    let counted = 0;
    let from: Record<string, unknown> | undefined;
    do {
      const query = { ...queryOf(range, {}), ...rest, Select: 'COUNT' as const };
      const { Count, LastEvaluatedKey } = await db.send(
        new QueryCommand({ ...query, ...(from && { ExclusiveStartKey: from }) }),
      );
      counted += Count ?? 0;
      from = LastEvaluatedKey;
    } while (from);
    return counted;
  }

  /** Counts without the rows of closed sessions. The conditions are those of `isOpen`. */
  async function countOpen(range: Range, rest: Partial<QueryCommandInput>): Promise<number> {
    const query = queryOf(range, {});
    const now = clock.now();
    return count(range, {
      ...rest,
      FilterExpression: 'tokenExpiresAt > :now AND connectedAt > :oldest AND attribute_not_exists(endedAt)',
      ExpressionAttributeValues: {
        ...query.ExpressionAttributeValues,
        ':now': now,
        ':oldest': oldestConnection(now),
      },
    });
  }

  const audienceRange = ({ tenant, shard, userType }: AudienceShard): Range => ({
    partition: 'audience',
    value: audienceKey(tenant, shard),
    sort: 'member',
    ...(userType !== undefined && { from: memberPrefix(userType), to: memberPrefix(userType) + last }),
  });
  const userRange = (user: Identity): Range => ({ partition: 'pk', value: userKey(user), sort: 'sk' });
  const topicRange = ({ tenant, topic, shard }: TopicShard): Range => ({
    partition: 'pk',
    value: topicKey(tenant, topic, shard),
    sort: 'sk',
  });

  return {
    shards,

    /** A user's sessions, sorted by connection id. The read is consistent, so it finds a session that just opened. */
    ofUser(user: Identity, options: PageOptions = {}): Promise<RecipientPage> {
      return page(userRange(user), options, { ConsistentRead: true });
    },

    /** One shard of a tenant's sessions. A user type is sorted by connection id. All types are sorted by type first. */
    ofAudience(shard: AudienceShard, options: PageOptions = {}): Promise<RecipientPage> {
      return page(audienceRange(shard), options, { IndexName: 'byAudience' });
    },

    /** Whether the index of audiences has this session. */
    async isIndexed({ tenant, userType }: Identity, connectionId: string): Promise<boolean> {
      const shard = { tenant, shard: shardOf(connectionId, shards) };
      const member = memberKey(userType, connectionId);
      const range = { ...audienceRange(shard), from: member, to: member + behind };
      return (await count(range, { IndexName: 'byAudience' })) > 0;
    },

    /** The number of rows in the shard. Rows of closed sessions count too. */
    countAudience: (shard: AudienceShard) => count(audienceRange(shard), { IndexName: 'byAudience' }),

    /**
     * One shard of a topic's subscribers, sorted by connection id. The read is consistent, so a client whose
     * `subscribe` was acked gets every message published after that.
     */
    ofTopic(shard: TopicShard, options: PageOptions = {}): Promise<RecipientPage> {
      return page(topicRange(shard), options, { ConsistentRead: true });
    },

    countTopic: (shard: TopicShard) => count(topicRange(shard), {}),

    /** The numbers of open sessions. That of a user is read consistently. */
    countOpen: {
      user: (user: Identity) => countOpen(userRange(user), { ConsistentRead: true }),
      audience: (shard: AudienceShard) => countOpen(audienceRange(shard), { IndexName: 'byAudience' }),
      topic: (shard: TopicShard) => countOpen(topicRange(shard), {}),
    },

    /** One session, as its row is now. */
    async ofSession(user: Identity, connectionId: string): Promise<Recipient | undefined> {
      const range = { value: userKey(user), from: connectionId, to: connectionId };
      const found = await page({ partition: 'pk', sort: 'sk', ...range }, {}, { ConsistentRead: true });
      return found.recipients[0];
    },

    /** The user of a connection, in any tenant. The index does not have the session's form of content. */
    async byConnection(connectionId: string): Promise<Omit<Recipient, 'contentAs'> | undefined> {
      const { Items } = await db.send(
        new QueryCommand({
          TableName: table,
          IndexName: 'byConnection',
          KeyConditionExpression: 'connectionId = :connectionId',
          ExpressionAttributeValues: { ':connectionId': connectionId },
        }),
      );
      const [row] = (Items ?? []) as SessionRow[];
      if (!row || !isOpen(row, clock.now())) return undefined;
      return { connectionId, identity: userOf(row.pk), connectedAt: row.connectedAt };
    },
  };
}
