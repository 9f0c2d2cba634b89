import { describe, expect, it } from 'vitest';
import { createLimit, type Limit, type LimitedSender } from '../../../core/limits/limit.ts';
import { type Core, minuteMs, startOfTime, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const identity = { tenant: 'acme', userType: 'member', userId: '1' };
const rates = {
  connectionRate: { rateLimit: 20, burstLimit: 40 },
  userRate: { rateLimit: 100, burstLimit: 200 },
};

function on(connectionId: string, connectedAt = startOfTime - minuteMs): LimitedSender {
  return { identity, session: { connectionId, connectedAt } };
}

const byHttp = { identity, session: undefined };

async function limitOf(): Promise<{ core: Core; limit: Limit }> {
  const core = await dynamodb.create();
  const { db, tables, clock } = core;
  return { core, limit: createLimit({ db, table: tables.state, clock, ...rates }) };
}

/** How many of 500 frames pass. */
async function passed(limit: Limit, sender: LimitedSender, type: string | undefined): Promise<number> {
  let count = 0;
  for (let sent = 0; sent < 500; sent += 1) if (!(await limit(sender, type))) count += 1;
  return count;
}

describe('the limit of a connection', () => {
  it.each([
    ['ping', 40],
    ['chat', 40],
    ['unsubscribe', 40],
    [undefined, 40],
    ['recover', 8],
    ['refresh', 8],
    ['subscribe', 8],
    ['history', 8],
    ['inbox-list', 8],
    ['inbox-unread', 8],
    ['inbox-mark-read', 8],
  ])('lets %s pass %i times', async (type, count) => {
    const { limit } = await limitOf();
    expect(await passed(limit, on('c1='), type)).toBe(count);
  });

  it('refuses with rate_limited, which says when to try again', async () => {
    const { core, limit } = await limitOf();
    core.clock.ms += 800;
    await passed(limit, on('c1='), 'ping');
    expect(await limit(on('c1='), 'ping')).toMatchObject({
      code: 'rate_limited',
      message: 'This connection sends too many frames; try again in 1200 ms.',
      retryAfterMs: 1200,
    });
  });
});

describe('the limit of a user', () => {
  it('is for all connections together, and for POST /messages', async () => {
    const { core, limit } = await limitOf();
    for (const id of ['a', 'b', 'c', 'd']) expect(await passed(limit, on(id), 'ping')).toBe(40);
    expect(await passed(limit, byHttp, 'chat')).toBe(40);
    expect(await limit(on('e'), 'ping')).toMatchObject({ code: 'rate_limited', retryAfterMs: 2000 });
    core.clock.ms += 2000;
    expect(await passed(limit, byHttp, 'chat')).toBe(200);
  });

  it('is not that of another user, user type or tenant', async () => {
    const { limit } = await limitOf();
    expect(await passed(limit, byHttp, 'chat')).toBe(200);
    for (const other of [{ userId: '2' }, { userType: 'admin' }, { tenant: 'other' }])
      expect(await limit({ ...byHttp, identity: { ...identity, ...other } }, 'chat')).toBeUndefined();
  });
});

describe('a connection that has just opened', () => {
  it('may subscribe as fast as the user may, so that a client has its topics back', async () => {
    const { limit } = await limitOf();
    const young = on('c1=', startOfTime - 9_000);
    expect(await passed(limit, young, 'subscribe')).toBe(40);
    expect(await limit(young, 'ping')).toMatchObject({
      message: expect.stringContaining('This user') as unknown,
    });
  });

  it('counts every other frame, and after ten seconds also subscribe', async () => {
    const { limit } = await limitOf();
    expect(await passed(limit, on('c1=', startOfTime), 'recover')).toBe(8);
    expect(await passed(limit, on('c2=', startOfTime - 10_000), 'subscribe')).toBe(8);
  });
});
