import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { Identity } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { answerIfHeld, conditionHeld } from '../tables/conditional-write.ts';
import { presenceHoldMs, watchedForMs } from '../timing.ts';
import type { Watched } from '../sessions/subscriptions/watches.ts';
import { type RowKey, stateKey, type Subject, watchKey } from './subjects.ts';

/** Whether somebody watches. Times are epoch milliseconds. */
export interface WatchRow {
  readonly watchedUntil?: number;
  /** The first watch after a time without any. */
  readonly watchedSince?: number;
  /** The last watch. */
  readonly watchedAt?: number;
  /** When the next message of the probes is due. Absent: there are no probes. */
  readonly probesAt?: number;
}

/** What watchers were told, and by whom they are being told now. */
export interface StateRow extends WatchRow {
  /** Counts the calls of `take`, and those that came too late for it. */
  readonly version?: number;
  readonly heldUntil?: number;
  readonly isPresent?: boolean;
  /** When the look began that wrote `isPresent`. One before `watchedSince` does not count. */
  readonly toldAt?: number;
  /** Since when the subject is absent, although watchers were told that it is present. */
  readonly absentSince?: number | undefined;
  /** When the last session of a user ended, up to now. */
  readonly lastSeenAt?: number;
}

/** What a holder writes when it lets go. */
export type Told = Pick<StateRow, 'toldAt' | 'isPresent' | 'absentSince'>;

/** A row that this function alone may settle. */
export interface Held {
  readonly before: StateRow;
  readonly version: number;
  readonly heldUntil: number;
}

export type PresenceStates = ReturnType<typeof createPresenceStates>;

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const maxBatch = 100;

const dayMs = 24 * 60 * 60 * 1000;
/** The last time that a user was seen is kept for a year. All else is of use for hours. */
const keptMs = { user: 365 * dayMs, topic: dayMs };

/** The rows of presence in the state table. */
export function createPresenceStates({
  db,
  table,
  clock,
}: {
  readonly db: DynamoDBDocumentClient;
  /** The name of the state table. */
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
}) {
  /** An update of a row, whose TTL begins anew. */
  function update(
    Key: RowKey,
    kind: Watched['kind'],
    { set, then = '', ...rest }: Partial<UpdateCommandInput> & { set?: string; then?: string },
  ) {
    return new UpdateCommand({
      TableName: table,
      Key,
      ...rest,
      UpdateExpression: `SET expiresAt = :expiresAt${set === undefined ? '' : `, ${set}`} ${then}`,
      ExpressionAttributeValues: {
        ...rest.ExpressionAttributeValues,
        ':expiresAt': Math.ceil((clock.now() + keptMs[kind]) / 1000),
      },
    });
  }
  const kindOf = ({ topic }: Subject) => (topic === undefined ? 'user' : 'topic');

  async function readAll(keys: readonly RowKey[]): Promise<Map<string, StateRow>> {
    let left = keys;
    const rows = new Map<string, StateRow>();
    while (left.length > 0) {
      const { Responses, UnprocessedKeys } = await db.send(
        // A row that a watch has just written must be found: a change that it misses is never told.
        new BatchGetCommand({
          RequestItems: { [table]: { Keys: left.slice(0, maxBatch), ConsistentRead: true } },
        }),
      );
      for (const row of (Responses?.[table] ?? []) as (RowKey & StateRow)[]) rows.set(row.pk, row);
      left = [...((UnprocessedKeys?.[table]?.Keys ?? []) as RowKey[]), ...left.slice(maxBatch)];
    }
    return rows;
  }

  return {
    /** The rows of these watches, by the `pk`. */
    async watches(tenant: string, watched: readonly Watched[]): Promise<Map<string, StateRow>> {
      return readAll(watched.map((each) => watchKey(tenant, each)));
    },

    /** The rows of these keys, by the `pk`. No key may come twice. */
    readAll,

    async read(subject: Subject): Promise<StateRow> {
      const { Item } = await db.send(
        new GetCommand({ TableName: table, Key: stateKey(subject), ConsistentRead: true }),
      );
      return (Item ?? {}) as StateRow;
    },

    /** Marks a user or a topic as watched. Resolves to its row. */
    async watch(tenant: string, watched: Watched): Promise<StateRow> {
      const now = clock.now();
      const Key = watchKey(tenant, watched);
      for (;;) {
        for (const isFirst of [false, true]) {
          const write = update(Key, watched.kind, {
            set: `watchedUntil = :until, watchedAt = :now${isFirst ? ', watchedSince = :now' : ''}`,
            ConditionExpression: isFirst
              ? 'attribute_not_exists(watchedUntil) OR watchedUntil <= :now'
              : 'watchedUntil > :now',
            ExpressionAttributeValues: { ':now': now, ':until': now + watchedForMs },
            ReturnValues: 'ALL_NEW',
          });
          const answer = await answerIfHeld(db.send(write));
          if (answer) return answer.Attributes as StateRow;
        }
      }
    },

    /** Takes the subject for this function alone. Resolves to `undefined` if another has it: that one looks again. */
    async take(subject: Subject): Promise<Held | undefined> {
      const now = clock.now();
      const heldUntil = now + presenceHoldMs;
      const Key = stateKey(subject);
      const taken = await answerIfHeld(
        db.send(
          update(Key, kindOf(subject), {
            set: 'heldUntil = :heldUntil',
            then: 'ADD version :one',
            ConditionExpression: 'attribute_not_exists(heldUntil) OR heldUntil <= :now',
            ExpressionAttributeValues: { ':now': now, ':heldUntil': heldUntil, ':one': 1 },
            ReturnValues: 'ALL_OLD',
          }),
        ),
      );
      if (taken) {
        const before = (taken.Attributes ?? {}) as StateRow;
        return { before, version: (before.version ?? 0) + 1, heldUntil };
      }
      await db.send(
        update(Key, kindOf(subject), { then: 'ADD version :one', ExpressionAttributeValues: { ':one': 1 } }),
      );
      return undefined;
    },

    /** Writes what watchers were told, and lets go. Resolves to `false` if something has happened since the `take`. */
    release(subject: Subject, version: number, { toldAt, isPresent, absentSince }: Told): Promise<boolean> {
      const values = {
        ...(toldAt !== undefined && { toldAt }),
        ...(isPresent !== undefined && { isPresent }),
        ...(absentSince !== undefined && { absentSince }),
      };
      const names = Object.keys(values);
      const write = update(stateKey(subject), kindOf(subject), {
        ...(names.length > 0 && { set: names.map((name) => `${name} = :${name}`).join(', ') }),
        then: `REMOVE heldUntil${absentSince === undefined ? ', absentSince' : ''}`,
        ConditionExpression: 'version = :version',
        ExpressionAttributeValues: {
          ':version': version,
          ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
        },
      });
      return conditionHeld(db.send(write));
    },

    /** Writes when a user was last seen, later only. */
    async see(user: Identity, at: number): Promise<void> {
      const write = update(stateKey({ user }), 'user', {
        set: 'lastSeenAt = :at',
        ConditionExpression: 'attribute_not_exists(lastSeenAt) OR lastSeenAt < :at',
        ExpressionAttributeValues: { ':at': at },
      });
      await conditionHeld(db.send(write));
    },

    /** Moves the time of the probes. Resolves to `false` if another has moved it. `undefined`: there are none. */
    moveProbes(
      tenant: string,
      watched: Watched,
      from: number | undefined,
      to: number | undefined,
    ): Promise<boolean> {
      const write = update(watchKey(tenant, watched), watched.kind, {
        ...(to === undefined ? { then: 'REMOVE probesAt' } : { set: 'probesAt = :to' }),
        ConditionExpression: from === undefined ? 'attribute_not_exists(probesAt)' : 'probesAt = :from',
        ExpressionAttributeValues: {
          ...(from !== undefined && { ':from': from }),
          ...(to !== undefined && { ':to': to }),
        },
      });
      return conditionHeld(db.send(write));
    },
  };
}
