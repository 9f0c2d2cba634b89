import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { listSessions } from '../../../core/sessions/list.ts';
import type { SessionQuery } from '../../../core/sessions/query.ts';
import type { Session } from '../../../protocol/index.ts';
import { type Core, idsOf, minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const ofType = { tenant: 'default', userType: 'member', limit: 100 };
const ofAll = { tenant: 'default', limit: 100 };
const ofUser = { ...ofType, userId: '1' };

describe('the sessions of a user', () => {
  it('are listed with all fields', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    await core.sessions.add(sessionOf('c2=', { userId: '2' }));
    expect(await listSessions(core.recipients, core.sessions, ofUser)).toEqual({
      sessions: [sessionOf('c1=')],
    });
  });

  it('are listed in pages, each session once', async () => {
    const core = await withSessions(230);
    const pages = await everyPage(core, ofUser);
    expect(pages.map(({ length }) => length)).toEqual([100, 100, 30]);
    expect(new Set(idsOf(pages.flat())).size).toBe(230);
  });

  it('are listed to the end although a page of them has expired', async () => {
    const core = await withSessions(100, { tokenExpiresAt: startOfTime });
    await core.sessions.add(sessionOf('z='));
    expect(idsOf((await everyPage(core, ofUser)).flat())).toEqual(['z=']);
  });
});

describe('the sessions of a type', () => {
  it('are listed through every shard, each session once, none of another type or tenant', async () => {
    const core = await withSessions(230);
    await core.sessions.add(sessionOf('other-type', { userType: 'member2' }));
    await core.sessions.add(sessionOf('other-tenant', { tenant: 'other' }));
    const pages = await everyPage(core, ofType);
    expect(pages.length).toBeGreaterThan(2);
    expect(Math.max(...pages.map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(new Set(idsOf(pages.flat())).size).toBe(230);
    expect(pages.flat()).toHaveLength(230);
  });

  it('are one page if there are few, and an empty page if there are none', async () => {
    const core = await dynamodb.create();
    expect(await listSessions(core.recipients, core.sessions, ofType)).toEqual({ sessions: [] });
    await core.sessions.add(sessionOf('c1='));
    expect((await everyPage(core, ofType)).flat()).toEqual([sessionOf('c1=')]);
  });

  it('leave out sessions whose token has expired', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1=', { tokenExpiresAt: startOfTime + minuteMs }));
    core.clock.ms += minuteMs;
    expect(await listSessions(core.recipients, core.sessions, ofType)).toEqual({ sessions: [] });
  });
});

describe('the sessions of everyone', () => {
  it('are listed through every shard, each session once, of every type and no other tenant', async () => {
    const core = await withSessions(150);
    await core.sessions.add(sessionOf('admin', { userType: 'admin' }));
    await core.sessions.add(sessionOf('other-tenant', { tenant: 'other' }));
    const ids = idsOf((await everyPage(core, ofAll)).flat());
    expect(ids).toHaveLength(151);
    expect(new Set(ids).size).toBe(151);
    expect(ids).toContain('admin');
  });
});

describe('a page', () => {
  it.each([40, 230, 1000])(
    'has at most %i sessions, if that is its limit',
    async (limit) => {
      const core = await withSessions(230);
      for (const query of [ofUser, ofType, ofAll]) {
        const pages = await everyPage(core, { ...query, limit });
        expect(Math.max(...pages.map(({ length }) => length))).toBe(Math.min(limit, 230));
        expect(new Set(idsOf(pages.flat())).size).toBe(230);
      }
    },
    60_000,
  );

  it('ends above two megabytes, and the next one continues', async () => {
    const core = await withSessions(130);
    const topics = new Set(Array.from({ length: 100 }, (_, index) => String(index).padStart(256, 't')));
    for (let index = 0; index < 130; index += 1) {
      const Key = { pk: 'USER#default#member#1', sk: `c${String(index).padStart(3, '0')}=` };
      const update = {
        UpdateExpression: 'SET topics = :topics',
        ExpressionAttributeValues: { ':topics': topics },
      };
      await core.db.send(new UpdateCommand({ TableName: core.tables.sessions, Key, ...update }));
    }
    const pages = await everyPage(core, { ...ofUser, limit: 1000 });
    expect(pages).toHaveLength(2);
    expect(new Set(idsOf(pages.flat())).size).toBe(130);
  });
});

describe('a cursor', () => {
  it.each([
    '',
    'garbage',
    'é',
    encode('text'),
    encode(null),
    encode([]),
    encode({}),
    encode({ shard: -1 }),
    encode({ shard: 0.5 }),
    encode({ shard: 0, key: 'text' }),
    encode({ shard: 0, key: {} }),
    encode({ shard: 0, key: { pk: 1, sk: 2 } }),
    encode({ shard: 0, key: { pk: { deep: [] }, sk: null } }),
  ])('that no page returned (%j) is refused by name, for users and types', async (cursor) => {
    const core = await withSessions(1);
    for (const query of [ofUser, ofType, ofAll]) {
      const listed = listSessions(core.recipients, core.sessions, { ...query, cursor });
      await expect(listed).rejects.toMatchObject({ code: 'bad_request', details: [{ field: 'cursor' }] });
    }
  });

  it.each([
    [ofType, ''],
    [ofType, 'admin#c1='],
    [ofType, 'member'],
    [ofType, 'member$'],
    [ofType, 'zzz'],
    [ofType, `member#${'x'.repeat(600)}`],
    [ofType, 'member#é'],
    [ofUser, ''],
    [ofType, 'member#~'],
    [ofUser, '~'],
    [ofUser, '~~'],
    [ofUser, ' '],
  ])('of %j whose position was moved to %j is refused', async (query, after) => {
    const core = await withSessions(3);
    await core.sessions.add(sessionOf('a1=', { userType: 'admin' }));
    const of = ['default', 'member', ...('userId' in query ? [query.userId] : [''])].join(':');
    const cursor = encode({ of, shard: 0, after });
    const listed = listSessions(core.recipients, core.sessions, { ...query, cursor });
    await expect(listed).rejects.toMatchObject({ code: 'bad_request', details: [{ field: 'cursor' }] });
  });

  it('of another query is refused', async () => {
    const core = await withSessions(230, {}, { shards: 1 });
    const cursorOfUser = await cursorOf(core, ofUser);
    const cursorOfType = await cursorOf(core, ofType);
    for (const foreign of [
      { ...ofType, cursor: cursorOfUser },
      { ...ofUser, cursor: cursorOfType },
      { ...ofUser, userId: '2', cursor: cursorOfUser },
      { ...ofUser, tenant: 'other', cursor: cursorOfUser },
      { ...ofType, tenant: 'other', cursor: cursorOfType },
      { ...ofType, userType: 'admin', cursor: cursorOfType },
      { ...ofAll, cursor: cursorOfType },
    ]) {
      const listed = listSessions(core.recipients, core.sessions, foreign);
      await expect(listed).rejects.toMatchObject({ code: 'bad_request', details: [{ field: 'cursor' }] });
    }
  });

  it('beyond the last shard ends the list', async () => {
    const core = await withSessions(1);
    expect(
      await listSessions(core.recipients, core.sessions, {
        ...ofType,
        cursor: encode({ of: 'default:member:', shard: 99 }),
      }),
    ).toEqual({
      sessions: [],
    });
  });
});

async function withSessions(count: number, differing: Partial<Session> = {}, options = {}): Promise<Core> {
  const core = await dynamodb.create(options);
  const ids = Array.from({ length: count }, (_, index) => `c${String(index).padStart(3, '0')}=`);
  await Promise.all(ids.map((id) => core.sessions.add(sessionOf(id, differing))));
  return core;
}

async function everyPage(
  { recipients, sessions }: Core,
  query: SessionQuery,
): Promise<(readonly Session[])[]> {
  const pages: (readonly Session[])[] = [];
  let cursor: string | undefined;
  do {
    const page = await listSessions(recipients, sessions, { ...query, cursor });
    pages.push(page.sessions);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return pages;
}

async function cursorOf({ recipients, sessions }: Core, query: SessionQuery): Promise<string> {
  const { cursor } = await listSessions(recipients, sessions, query);
  if (cursor === undefined) throw new Error('There is one page only.');
  return cursor;
}

function encode(cursor: unknown): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}
