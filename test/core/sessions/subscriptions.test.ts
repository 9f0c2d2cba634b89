import { GetCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { topicKey, userKey } from '../../../core/sessions/items.ts';
import { createSubscriptions } from '../../../core/sessions/subscriptions/subscriptions.ts';
import { maxTopicsPerSession, type Session } from '../../../protocol/index.ts';
import {
  type Core,
  idsOf,
  minuteMs,
  newToken,
  sessionOf,
  startOfTime,
  useDynamoDB,
} from '../core-under-test.ts';
import { withInterruption, withUnprocessed } from '../database-stand-ins.ts';

const dynamodb = useDynamoDB();
const member = { tenant: 'default', userType: 'member', userId: '1' };
const session = sessionOf('c1=');
const subscriber = subscriberOf(session);
const until = startOfTime + 110 * minuteMs;

function subscriberOf({ connectionId, connectedAt, tokenExpiresAt }: Session) {
  return { identity: member, connectionId, connectedAt, tokenExpiresAt };
}

async function withSession(): Promise<Core> {
  const core = await dynamodb.create({ shards: 1 });
  await core.sessions.add(session);
  return core;
}

/** Subscriptions on a database that calls `act` before each command, with the number of commands before it. */
function interrupted({ db, tables, clock }: Core, act: (done: number) => Promise<unknown>) {
  let done = 0;
  const interruptedDb = withInterruption(db, () => act(done++));
  return createSubscriptions({ db: interruptedDb, table: tables.sessions, shards: 1, clock });
}

async function subscribersOf({ recipients }: Core, topic: string): Promise<string[]> {
  return idsOf((await recipients.ofTopic({ tenant: 'default', topic, shard: 0 })).recipients);
}

async function rowOf({ db, tables }: Core, pk: string): Promise<unknown> {
  const { Item } = await db.send(new GetCommand({ TableName: tables.sessions, Key: { pk, sk: 'c1=' } }));
  return Item;
}

describe('subscribing', () => {
  it('adds the session to the topic, and the topic to the session', async () => {
    const core = await withSession();
    expect(await core.subscriptions.subscribe(subscriber, 'orders', ['*'])).toBe('subscribed');
    expect(await subscribersOf(core, 'orders')).toEqual(['c1=']);
    expect(await core.sessions.get(member, 'c1=')).toMatchObject({ topics: ['orders'] });
  });

  it.each([0, 1, 2, 3])(
    'leaves no row behind if the session disconnects after %i of its commands',
    async (commands) => {
      const core = await withSession();
      const subscriptions = interrupted(core, async (done) => {
        if (done === commands) await core.sessions.remove(member, 'c1=');
      });
      expect(await subscriptions.subscribe(subscriber, 'orders', ['*'])).toBe('closed');
      expect(await rowOf(core, topicKey('default', 'orders', 0))).toBeUndefined();
      expect(await rowOf(core, userKey(member))).toBeUndefined();
    },
  );

  it.each([0, 1, 2, 3])(
    'creates a row that lasts as long as the session if that is refreshed after %i of its commands',
    async (commands) => {
      const core = await withSession();
      const subscriptions = interrupted(core, async (done) => {
        if (done === commands) await core.refreshSession(member, 'c1=', newToken(until));
      });
      expect(await subscriptions.subscribe(subscriber, 'orders', ['*'])).toBe('subscribed');
      core.clock.ms = until - 1;
      expect(await subscribersOf(core, 'orders')).toEqual(['c1=']);
    },
  );

  it('is refused above the limit, and adds no row to the topic', async () => {
    const core = await withSession();
    const most = new Set(Array.from({ length: maxTopicsPerSession }, (_, index) => `topic-${String(index)}`));
    await core.db.send(
      new UpdateCommand({
        TableName: core.tables.sessions,
        Key: { pk: userKey(member), sk: 'c1=' },
        UpdateExpression: 'SET topics = :most',
        ExpressionAttributeValues: { ':most': most },
      }),
    );
    expect(await core.subscriptions.subscribe(subscriber, 'orders', ['*'])).toBe('full');
    expect(await subscribersOf(core, 'orders')).toEqual([]);
  });
});

it('a subscribe is refused if another one takes the last place after it has read the session', async () => {
  const core = await withSession();
  const names = Array.from({ length: maxTopicsPerSession - 1 }, (_, index) => `topic-${String(index)}`);
  await core.db.send(
    new UpdateCommand({
      TableName: core.tables.sessions,
      Key: { pk: userKey(member), sk: 'c1=' },
      UpdateExpression: 'SET topics = :names',
      ExpressionAttributeValues: { ':names': new Set(names) },
    }),
  );
  const subscriptions = interrupted(core, async (done) => {
    if (done === 1) await core.subscriptions.subscribe(subscriber, 'prices', ['*']);
  });
  expect(await subscriptions.subscribe(subscriber, 'orders', ['*'])).toBe('full');
  expect((await core.sessions.get(member, 'c1='))?.topics).toHaveLength(maxTopicsPerSession);
});

describe('subscribing and unsubscribing at the same time', () => {
  async function stateOf(core: Core) {
    const isListed = (await core.sessions.get(member, 'c1='))?.topics.includes('orders');
    return { isListed, hasRow: (await subscribersOf(core, 'orders')).length > 0 };
  }
  const subscribed = { isListed: true, hasRow: true };
  const unsubscribed = { isListed: false, hasRow: false };

  it.each([
    { commands: 1, state: subscribed },
    { commands: 2, state: unsubscribed },
    { commands: 3, state: unsubscribed },
  ])('agree if the topic is unsubscribed after $commands of its commands', async ({ commands, state }) => {
    const core = await withSession();
    const subscriptions = interrupted(core, async (done) => {
      if (done === commands) await core.subscriptions.unsubscribe(subscriber, 'orders');
    });
    expect(await subscriptions.subscribe(subscriber, 'orders', ['*'])).toBe('subscribed');
    expect(await stateOf(core)).toEqual(state);
  });

  it.each([1, 2, 3])(
    'agree if the topic is subscribed again after %i commands of unsubscribe',
    async (commands) => {
      const core = await withSession();
      await core.subscriptions.subscribe(subscriber, 'orders', ['*']);
      const subscriptions = interrupted(core, async (done) => {
        if (done === commands) await core.subscriptions.subscribe(subscriber, 'orders', ['*']);
      });
      await subscriptions.unsubscribe(subscriber, 'orders');
      expect(await stateOf(core)).toEqual(subscribed);
    },
  );

  it('are refused a topic that a refresh no longer allows, whenever that comes', async () => {
    for (const commands of [0, 1, 2, 3]) {
      const core = await withSession();
      const subscriptions = interrupted(core, async (done) => {
        if (done === commands) await core.refreshSession(member, 'c1=', newToken(until, []));
      });
      expect(await subscriptions.subscribe(subscriber, 'orders', ['*'])).toBe('forbidden');
      expect(await stateOf(core)).toEqual(unsubscribed);
    }
  });
});

it('a subscribe that crashes leaves the expiry that a refresh gave to the row', async () => {
  const core = await withSession();
  const subscriptions = interrupted(core, async (done) => {
    if (done === 2) {
      await core.subscriptions.subscribe(subscriber, 'orders', ['*']);
      await core.refreshSession(member, 'c1=', newToken(until));
    }
    if (done > 2) throw new Error('crashed');
  });
  await expect(subscriptions.subscribe(subscriber, 'orders', ['*'])).rejects.toThrow('crashed');
  core.clock.ms = until - 1;
  expect(await subscribersOf(core, 'orders')).toEqual(['c1=']);
});

describe('a session that has been marked as ended', () => {
  const closing = { code: 'kicked', message: 'x', retry: false } as const;

  it('changes nothing any more', async () => {
    const core = await withSession();
    await core.subscriptions.subscribe(subscriber, 'orders', ['*']);
    await core.sessions.markEnded(member, 'c1=', closing);
    const before = await rowOf(core, userKey(member));
    expect(await core.subscriptions.subscribe(subscriber, 'prices', ['*'])).toBe('closed');
    await core.subscriptions.unsubscribe(subscriber, 'orders');
    expect(await rowOf(core, userKey(member))).toEqual(before);
    expect(await subscribersOf(core, 'prices')).toEqual([]);
    expect(await subscribersOf(core, 'orders')).toEqual(['c1=']);
  });

  it('has no subscription that was under way', async () => {
    for (const commands of [0, 1, 2, 3]) {
      const core = await withSession();
      const subscriptions = interrupted(core, async (done) => {
        if (done === commands) await core.sessions.markEnded(member, 'c1=', closing);
      });
      expect(await subscriptions.subscribe(subscriber, 'orders', ['*'])).toBe('closed');
      expect(await subscribersOf(core, 'orders')).toEqual([]);
    }
  });
});

describe('subscribing to a topic that is held', () => {
  it('writes nothing', async () => {
    const core = await withSession();
    await core.subscriptions.subscribe(subscriber, 'orders', ['*']);
    const names: string[] = [];
    const db = withInterruption(core.db, (name) => Promise.resolve(names.push(name)));
    const subscriptions = createSubscriptions({ ...core, db, table: core.tables.sessions, shards: 1 });
    expect(await subscriptions.subscribe(subscriber, 'orders', ['*'])).toBe('subscribed');
    expect(names).toEqual(['GetCommand', 'GetCommand']);
  });

  it('writes its row if a crash has left it without one', async () => {
    const core = await withSession();
    await core.subscriptions.subscribe(subscriber, 'orders', ['*']);
    await core.subscriptions.removeOrphan(topicKey('default', 'orders', 0), 'c1=');
    expect(await core.subscriptions.subscribe(subscriber, 'orders', ['*'])).toBe('subscribed');
    expect(await subscribersOf(core, 'orders')).toEqual(['c1=']);
  });
});

describe('unsubscribing', () => {
  it('ends the subscription, and removes the topic from the session', async () => {
    const core = await withSession();
    await core.subscriptions.subscribe(subscriber, 'orders', ['*']);
    await core.subscriptions.unsubscribe(subscriber, 'orders');
    expect(await subscribersOf(core, 'orders')).toEqual([]);
    expect(await core.sessions.get(member, 'c1=')).toMatchObject({ topics: [] });
  });

  it('creates no row for a closed session', async () => {
    const core = await withSession();
    await core.subscriptions.subscribe(subscriber, 'orders', ['*']);
    await core.sessions.remove(member, 'c1=');
    await core.subscriptions.unsubscribe(subscriber, 'orders');
    expect(await rowOf(core, userKey(member))).toBeUndefined();
  });
});

describe('the subscriptions of a session that is removed', () => {
  async function subscribedTo(count: number): Promise<Core> {
    const core = await withSession();
    const topics = Array.from({ length: count }, (_, index) => `topic-${String(index)}`);
    await Promise.all(topics.map((topic) => core.subscriptions.subscribe(subscriber, topic, ['*'])));
    return core;
  }

  async function countRows({ db, tables }: Core): Promise<number> {
    const { Items = [] } = await db.send(new ScanCommand({ TableName: tables.sessions }));
    return Items.length;
  }

  it('are removed with it, even if they do not fit into one batch', async () => {
    const core = await subscribedTo(26);
    expect(await countRows(core)).toBe(27);
    await core.sessions.remove(member, 'c1=');
    expect(await countRows(core)).toBe(0);
  });

  it('are removed even if DynamoDB leaves a part of the batch unprocessed', async () => {
    const core = await subscribedTo(3);
    const db = withUnprocessed(core.db);
    const throttled = createSubscriptions({ ...core, db, table: core.tables.sessions, shards: 1 });
    const { topics = [] } = (await core.sessions.get(member, 'c1=')) ?? {};
    await throttled.clear(subscriber, topics);
    expect(await countRows(core)).toBe(1);
  });
});
