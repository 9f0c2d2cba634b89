import { type DynamoDBDocumentClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Identity } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import {
  audienceKey,
  isOpen,
  memberKey,
  memberPrefix,
  type Recipient,
  recipientOf,
  type SessionRow,
  shardOf,
  type SubscriptionRow,
  topicKey,
  userKey,
} from './items.ts';

export interface RecipientPage {
  readonly recipients: readonly Recipient[];
  /** Where the page ended, to read on `after`; absent at the end. */
  readonly next: string | undefined;
}

export interface PageOptions {
  /** Rows that are read at most; those of closed sessions count. */
  readonly limit?: number;
  /** The `next` of an earlier page. */
  readonly after?: string | undefined;
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

// Sorts behind every connection id that begins the same, and before none: no id holds a character above `z`.
const last = '~';

/** Finds who is behind a target, in pages sorted by the partition's own key. */
export function createRecipients(options: {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly shards: number;
  readonly clock: Pick<Clock, 'now'>;
}) {
  const { db, table, shards, clock } = options;

  function queryOf({ partition, value, sort, from, to }: Range, { limit, after }: PageOptions) {
    return {
      TableName: table,
      KeyConditionExpression: '#partition = :value AND #sort BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#partition': partition, '#sort': sort },
      ExpressionAttributeValues: {
        ':value': value,
        // Exclusive: a space sorts before every character of a connection id, so nothing lies between.
        ':from': after === undefined ? (from ?? ' ') : `${after} `,
        ':to': to ?? last,
      },
      ...(limit !== undefined && { Limit: limit }),
    };
  }

  async function page(range: Range, options: PageOptions, rest: Partial<QueryCommandInput>) {
    const query = { ...queryOf(range, options), ...rest };
    const { Items, LastEvaluatedKey } = await db.send(new QueryCommand(query));
    const rows = (Items ?? []) as (SessionRow | SubscriptionRow)[];
    const next = LastEvaluatedKey?.[range.sort] as string | undefined;
    return { recipients: rows.filter((row) => isOpen(row, clock.now())).map(recipientOf), next };
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

  const audienceRange = ({ tenant, shard, userType }: AudienceShard): Range => ({
    partition: 'audience',
    value: audienceKey(tenant, shard),
    sort: 'member',
    ...(userType !== undefined && { from: memberPrefix(userType), to: memberPrefix(userType) + last }),
  });
  const topicRange = ({ tenant, topic, shard }: TopicShard): Range => ({
    partition: 'pk',
    value: topicKey(tenant, topic, shard),
    sort: 'sk',
  });

  return {
    shards,

    /** A user's sessions, read consistently: one that has just been opened is there. Sorted by connection id. */
    ofUser(user: Identity, options: PageOptions = {}): Promise<RecipientPage> {
      return page({ partition: 'pk', value: userKey(user), sort: 'sk' }, options, { ConsistentRead: true });
    },

    /** One shard of a tenant; of one user type, sorted by connection id, or of all, sorted by type before that. */
    ofAudience(shard: AudienceShard, options: PageOptions = {}): Promise<RecipientPage> {
      return page(audienceRange(shard), options, { IndexName: 'byAudience' });
    },

    /** Whether the index of audiences has this session. */
    async isIndexed({ tenant, userType }: Identity, connectionId: string): Promise<boolean> {
      const shard = { tenant, shard: shardOf(connectionId, shards) };
      const member = memberKey(userType, connectionId);
      const range = { ...audienceRange(shard), from: member, to: member };
      return (await count(range, { IndexName: 'byAudience' })) > 0;
    },

    /** How many rows the shard holds, those of closed sessions too. */
    countAudience: (shard: AudienceShard) => count(audienceRange(shard), { IndexName: 'byAudience' }),

    /**
     * One shard of a topic's subscribers, sorted by connection id. Read consistently: whoever was told that the
     * subscription stands, and up to where the log was read, gets what follows.
     */
    ofTopic(shard: TopicShard, options: PageOptions = {}): Promise<RecipientPage> {
      return page(topicRange(shard), options, { ConsistentRead: true });
    },

    countTopic: (shard: TopicShard) => count(topicRange(shard), {}),

    /** The session of a connection, whatever its tenant. */
    async byConnection(connectionId: string): Promise<Recipient | undefined> {
      const { Items } = await db.send(
        new QueryCommand({
          TableName: table,
          IndexName: 'byConnection',
          KeyConditionExpression: 'connectionId = :connectionId',
          ExpressionAttributeValues: { ':connectionId': connectionId },
        }),
      );
      const [row] = (Items ?? []) as SessionRow[];
      return row && isOpen(row, clock.now()) ? recipientOf(row) : undefined;
    },
  };
}
