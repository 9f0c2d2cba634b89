import { BatchWriteCommand, DeleteCommand, GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import type { Recipient } from '../../../core/sessions/items.ts';
import { createSessions } from '../../../core/sessions/sessions.ts';
import { connectionLifetimeMs } from '../../../protocol/index.ts';
import { type Core, idsOf, minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { withUnprocessed } from '../database-stand-ins.ts';

const dynamodb = useDynamoDB();
const member = { tenant: 'default', userType: 'member', userId: '1' };

describe('an added session', () => {
  it('is found at once, with all fields, by its user and by its id', async () => {
    const { recipients, sessions } = await dynamodb.create();
    await sessions.add(sessionOf('c1='));

    expect(await sessions.get(member, 'c1=')).toEqual(sessionOf('c1='));
    expect(await recipients.byConnection('c1=')).toEqual({
      connectionId: 'c1=',
      identity: member,
      connectedAt: startOfTime,
    });
    expect((await recipients.ofUser(member)).recipients).toEqual([
      { connectionId: 'c1=', identity: member, connectedAt: startOfTime },
    ]);
  });

  it('is read consistently by its user, so that a publish right after the handshake finds it', async () => {
    const { recipients, sessions, db } = await dynamodb.create();
    const reads: unknown[] = [];
    const record = { name: 'record', step: 'initialize' } as const;
    db.middlewareStack.add((next) => (args) => (reads.push(args.input), next(args)), record);
    await sessions.get(member, 'c1=');
    await recipients.ofUser(member);
    db.middlewareStack.remove('record');

    // The database of the tests has no lag, so the test looks at the request.
    expect(reads).toHaveLength(2);
    for (const read of reads) expect(read).toHaveProperty('ConsistentRead', true);
  });

  it('is found in exactly one shard of its tenant, by its type and among everyone', async () => {
    const { recipients, sessions } = await dynamodb.create();
    await sessions.add(sessionOf('c1='));

    expect(idsOf(await ofAllShards(recipients, 'default'))).toEqual(['c1=']);
    expect(idsOf(await ofAllShards(recipients, 'default', 'member'))).toEqual(['c1=']);
    expect(await ofAllShards(recipients, 'default', 'admin')).toEqual([]);
    expect(await ofAllShards(recipients, 'other')).toEqual([]);
  });

  it('keeps the first 256 characters of a user agent', async () => {
    const { sessions } = await dynamodb.create();
    await sessions.add(sessionOf('c1=', { userAgent: 'a'.repeat(5_000) }));

    expect((await sessions.get(member, 'c1='))?.userAgent).toHaveLength(256);
  });

  it('has a TTL in epoch seconds, after the two hours that a connection can live', async () => {
    const { sessions, db, tables } = await dynamodb.create();
    await sessions.add(sessionOf('c1='));

    const Key = { pk: 'USER#default#member#1', sk: 'c1=' };
    const { Item } = await db.send(new GetCommand({ TableName: tables.sessions, Key }));
    expect(Item?.expiresAt).toBe((startOfTime + connectionLifetimeMs + 10 * minuteMs) / 1000);
  });
});

describe('removing a session', () => {
  it('removes only that connection, and may be repeated', async () => {
    const { recipients, sessions } = await dynamodb.create();
    await sessions.add(sessionOf('old='));
    await sessions.add(sessionOf('new='));

    await sessions.remove(member, 'old=');
    await sessions.remove(member, 'old=');

    expect(idsOf((await recipients.ofUser(member)).recipients)).toEqual(['new=']);
    expect(await recipients.byConnection('old=')).toBeUndefined();
  });

  it('as gone keeps a row that was written again since it was read', async () => {
    const { sessions } = await dynamodb.create();
    await sessions.add(sessionOf('c1=', { connectedAt: startOfTime + 5 }));

    await sessions.removeGone({ connectionId: 'c1=', identity: member, connectedAt: startOfTime });
    expect(await sessions.get(member, 'c1=')).toBeDefined();

    await sessions.removeGone({ connectionId: 'c1=', identity: member, connectedAt: startOfTime + 5 });
    expect(await sessions.get(member, 'c1=')).toBeUndefined();
  });

  it('as gone succeeds if the row is already gone', async () => {
    const { sessions } = await dynamodb.create();
    const recipient = { connectionId: 'c1=', identity: member, connectedAt: startOfTime };
    await expect(sessions.removeGone(recipient)).resolves.toBeUndefined();
  });

  it('as gone removes the subscription that outlived the session', async () => {
    const { db, tables, recipients, sessions, subscriptions } = await dynamodb.create({ shards: 1 });
    const session = sessionOf('c1=');
    await sessions.add(session);
    await subscriptions.subscribe({ identity: member, ...session }, 'orders', ['*']);
    const Key = { pk: 'USER#default#member#1', sk: 'c1=' };
    await db.send(new DeleteCommand({ TableName: tables.sessions, Key }));

    const topic = { tenant: 'default', topic: 'orders', shard: 0 };
    const [orphan] = (await recipients.ofTopic(topic)).recipients;
    if (!orphan) throw new Error('The subscription went with the session.');
    await sessions.removeGone(orphan);
    expect((await recipients.ofTopic(topic)).recipients).toEqual([]);
  });
});

describe('reading many sessions', () => {
  it('returns all of them if DynamoDB leaves a part of the batch unprocessed', async () => {
    const core = await dynamodb.create();
    const ids = ['c1=', 'c2=', 'c3='];
    for (const id of ids) await core.sessions.add(sessionOf(id));
    const { subscriptions, tables, clock } = core;
    const db = withUnprocessed(core.db);
    const throttled = createSessions({ db, table: tables.sessions, shards: 3, subscriptions, clock });
    const { recipients } = await core.recipients.ofUser(member);
    expect(idsOf(await throttled.getMany(recipients))).toEqual(ids);
  });
});

describe('an expired session whose row is not deleted yet', () => {
  it.each([
    { what: 'token', open: 60 * minuteMs - 1, over: 60 * minuteMs, tokenMs: 60 * minuteMs },
    {
      what: 'lifetime and its margin',
      open: connectionLifetimeMs + 10 * minuteMs - 1,
      over: connectionLifetimeMs + 10 * minuteMs,
      tokenMs: 9 * connectionLifetimeMs,
    },
  ])('is found by no key from the end of its $what on', async ({ open, over, tokenMs }) => {
    const core = await dynamodb.create();
    const { sessions, clock } = core;
    await sessions.add(sessionOf('c1=', { tokenExpiresAt: startOfTime + tokenMs }));

    clock.ms = startOfTime + open;
    expect(await everyLook(core)).toEqual([1, 1, 1, 1, 1]);
    clock.ms = startOfTime + over;
    expect(await everyLook(core)).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('a user with more sessions than a page of the database holds', () => {
  it('is read completely, page after page', async () => {
    const { recipients, db, tables } = await dynamodb.create();
    // A page ends at 1 MB, so 60 rows of 20 KB are two pages.
    const rows = Array.from({ length: 60 }, (_, index) => ({
      PutRequest: {
        Item: {
          pk: 'USER#default#member#1',
          sk: `c${String(index)}`,
          member: `member#c${String(index)}`,
          connectedAt: startOfTime,
          tokenExpiresAt: startOfTime + minuteMs,
          sourceIp: '192.0.2.1',
          userAgent: 'a'.repeat(20_000),
        },
      },
    }));
    for (let at = 0; at < rows.length; at += 20) {
      const RequestItems = { [tables.sessions]: rows.slice(at, at + 20) };
      await db.send(new BatchWriteCommand({ RequestItems }));
    }

    const pages: (readonly Recipient[])[] = [];
    let next: string | undefined;
    do {
      const page = await recipients.ofUser(member, { after: next });
      pages.push(page.recipients);
      ({ next } = page);
    } while (next);
    expect(pages.length).toBeGreaterThan(1);
    expect(new Set(idsOf(pages.flat()))).toHaveProperty('size', 60);
  });
});

async function ofAllShards(
  recipients: Core['recipients'],
  tenant: string,
  userType?: string,
): Promise<Recipient[]> {
  const shards = Array.from({ length: recipients.shards }, (_, shard) => shard);
  const pages = await Promise.all(
    shards.map((shard) => recipients.ofAudience({ tenant, shard, ...(userType && { userType }) })),
  );
  return pages.flatMap(({ recipients }) => recipients);
}

/** The number of sessions that each query finds. */
async function everyLook({ recipients, sessions }: Core): Promise<number[]> {
  const recipient = { connectionId: 'c1=', identity: member, connectedAt: startOfTime };
  const looks = await Promise.all([
    sessions.get(member, 'c1=').then((found) => (found ? [found] : [])),
    recipients.byConnection('c1=').then((found) => (found ? [found] : [])),
    recipients.ofUser(member).then(({ recipients }) => recipients),
    sessions.getMany([recipient]),
    ofAllShards(recipients, 'default', 'member'),
  ]);
  return looks.map(({ length }) => length);
}
