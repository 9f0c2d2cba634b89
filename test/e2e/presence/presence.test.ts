import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signToken, type Stack } from '../stack.ts';
import { growOld, probeNow, setFaults } from './lost-sessions.ts';
import { graceSeconds, startPresenceStack } from './presence-stack.ts';
import { Watcher } from './watcher.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startPresenceStack();
});
afterAll(() => stack.close());

const graceMs = graceSeconds * 1000;

let watchers = 0;
const watcher = (watch = ['*'], more = {}) =>
  Watcher.open(stack, { user: `watcher-${String((watchers += 1))}`, claims: { watch }, topics: ['*'], ...more });

async function presenceOf(users: string, tenant = 'default'): Promise<unknown> {
  const { status, body } = await stack.call('GET', `/presence?tenant=${tenant}&users=${users}`);
  expect(status).toBe(200);
  return (body as { users: unknown }).users;
}

async function subscribed(user: string, topic: string) {
  const client = await stack.connect({ user, topics: ['*'] });
  expect(await client.ask({ type: 'subscribe', id: 's', content: { topic } })).toMatchObject({ type: 'ack' });
  return client;
}

describe('a watched user', () => {
  it('comes and goes: the ack has the present state, frames have the changes, and the grace is kept', async () => {
    const before = Date.now();
    const one = await watcher();
    expect(await one.watch({ users: ['member:ada'] })).toEqual({
      users: [{ user: 'member:ada', online: false, lastSeenAt: null }],
      topics: [],
    });
    const ada = await stack.connect({ user: 'ada' });
    const online = { user: 'member:ada', online: true, lastSeenAt: expect.any(Number) as number };
    expect(await one.toldOf(1)).toEqual([online]);
    const two = await watcher();
    expect(await two.watch({ users: ['member:ada'] })).toEqual({ users: [online], topics: [] });
    expect(await presenceOf('member:ada')).toEqual([{ ...online, sessions: 1 }]);

    const leftAt = Date.now();
    await ada.close();
    // At once, without a grace, for who asks.
    await expect.poll(() => presenceOf('member:ada')).toMatchObject([{ online: false, sessions: 0 }]);
    const [, offline] = await one.toldOf(2);
    expect(Date.now() - leftAt).toBeGreaterThanOrEqual(graceMs);
    expect(offline).toEqual({ user: 'member:ada', online: false, lastSeenAt: expect.any(Number) as number });
    const { lastSeenAt } = offline as { lastSeenAt: number };
    expect(lastSeenAt).toBeGreaterThan(before);
    expect(lastSeenAt).toBeLessThan(Date.now());
    expect(await two.toldOf(1)).toEqual([offline]);
    expect(await presenceOf('member:ada')).toEqual([{ ...(offline as object), sessions: 0 }]);
  });

  it('reloads within the grace, in silence', async () => {
    const one = await watcher();
    let ben = await stack.connect({ user: 'ben' });
    await one.watch({ users: ['member:ben'] });
    for (let reload = 0; reload < 3; reload += 1) {
      await ben.close();
      ben = await stack.connect({ user: 'ben' });
    }
    // What follows is told after all of that.
    await stack.connect({ user: 'barrier' });
    await one.watch({ users: ['member:barrier'] });
    const closed = Date.now();
    await ben.close();
    expect(await one.toldOf(1)).toMatchObject([{ user: 'member:ben', online: false }]);
    expect(Date.now() - closed).toBeGreaterThanOrEqual(graceMs);
  });

  it('is online until the last device is gone', async () => {
    const one = await watcher();
    await one.watch({ users: ['member:cyd'] });
    const [phone, desk] = [await stack.connect({ user: 'cyd' }), await stack.connect({ user: 'cyd' })];
    expect(await one.toldOf(1)).toMatchObject([{ online: true }]);
    await phone.close();
    await expect.poll(() => presenceOf('member:cyd')).toMatchObject([{ online: true, sessions: 1 }]);
    const closed = Date.now();
    await desk.close();
    expect(await one.toldOf(2)).toMatchObject([{ online: true }, { online: false }]);
    expect(Date.now() - closed).toBeGreaterThanOrEqual(graceMs);
  });

  it('that is kicked is absent at once for who asks, and then for watchers', async () => {
    const one = await watcher();
    const eve = await stack.connect({ user: 'eve' });
    await one.watch({ users: ['member:eve'] });
    const closed = eve.closed();
    expect((await stack.call('DELETE', '/sessions?userType=member&userId=eve')).status).toBe(200);
    expect(await presenceOf('member:eve')).toMatchObject([{ online: false, sessions: 0 }]);
    await closed;
    expect(await one.toldOf(1)).toMatchObject([{ user: 'member:eve', online: false }]);
  });

  it('is of the tenant of the watcher', async () => {
    const [ours, theirs] = [await watcher(['*'], { tenant: 'a' }), await watcher(['*'], { tenant: 'b' })];
    for (const each of [ours, theirs]) await each.watch({ users: ['member:flo'] });
    await stack.connect({ user: 'flo', tenant: 'a' });
    expect(await ours.toldOf(1)).toMatchObject([{ user: 'member:flo', online: true }]);
    expect(await presenceOf('member:flo', 'b')).toMatchObject([{ online: false }]);
    expect(theirs.told).toEqual([]);
  });
});

describe('a watched topic', () => {
  it('tells who joins and leaves, and nothing of a reload or a second device', async () => {
    const gus = await subscribed('gus', 'room');
    const one = await watcher();
    expect(await one.watch({ topics: ['room'] })).toEqual({
      users: [],
      topics: [{ topic: 'room', sessions: 1, users: [{ user: 'member:gus' }] }],
    });
    let hal = await subscribed('hal', 'room');
    expect(await one.toldOf(1)).toEqual([{ topic: 'room', user: 'member:hal', joined: true }]);
    await hal.close();
    hal = await subscribed('hal', 'room');
    const second = await subscribed('gus', 'room');
    await gus.close();
    const left = await hal.ask({ type: 'unsubscribe', id: 'u', content: { topic: 'room' } });
    expect(left).toMatchObject({ type: 'ack' });
    const [, hals] = await one.toldOf(2);
    expect(hals).toEqual({ topic: 'room', user: 'member:hal', joined: false });
    await second.close();
    expect((await one.toldOf(3)).slice(2)).toEqual([{ topic: 'room', user: 'member:gus', joined: false }]);
  });

  it('is listed by GET /presence, with each user once', async () => {
    for (const user of ['ida', 'jon', 'jon']) await subscribed(user, 'hall');
    const { body } = await stack.call('GET', '/presence?topic=hall');
    const member = { online: true, lastSeenAt: expect.any(Number) as number };
    expect(body).toEqual({
      topic: 'hall',
      sessions: 3,
      users: [
        { user: 'member:ida', sessions: 1, ...member },
        { user: 'member:jon', sessions: 2, ...member },
      ],
    });
  });

  it('is not among the topics of the session that watches it', async () => {
    const one = await watcher();
    await one.watch({ users: ['member:ada'], topics: ['hall'] });
    const user = `watcher-${String(watchers)}`;
    const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
    expect(body).toMatchObject({ sessions: [{ topics: [] }] });
  });
});

describe('the right to watch', () => {
  it('is needed, and a refusal names what is not allowed', async () => {
    const one = await watcher(['member:a*', 'orders.*']);
    expect(await one.ask('watch', { users: ['member:ada', 'admin:1'] })).toMatchObject({
      type: 'error',
      content: {
        code: 'forbidden',
        message: 'content.users[1]: the token does not allow to watch admin:1',
      },
    });
    expect(await one.ask('watch', { topics: ['news'] })).toMatchObject({
      content: { code: 'forbidden', message: 'content.topics[0]: the token does not allow to watch news' },
    });
    expect(await one.watch({ users: ['member:ada'], topics: ['orders.eu'] })).toMatchObject({
      topics: [{ topic: 'orders.eu', sessions: 0, users: [] }],
    });
  });

  it('ends the watches that a refresh withdraws, and the ack names them', async () => {
    const one = await watcher();
    await one.watch({ users: ['member:kim'], topics: ['den'] });
    const token = await signToken({
      ...{ user: `watcher-${String(watchers)}`, type: 'member', tenant: 'default', topics: ['*'] },
      ...{ claims: { watch: ['den'] }, ttlSeconds: 7000 },
    });
    expect(await one.ask('refresh', { token })).toMatchObject({
      type: 'ack',
      content: { unsubscribed: ['~user:member:kim'] },
    });
    await stack.connect({ user: 'kim' });
    await subscribed('kim', 'den');
    expect(await one.toldOf(1)).toEqual([{ topic: 'den', user: 'member:kim', joined: true }]);
  });

  it.each([
    [{}, 'content: must name users or topics'],
    [{ users: ['ada'] }, 'content.users[0]: must be <type>:<id>, each 1 to 128 of A-Z a-z 0-9 . _ @ + -'],
    [{ topics: ['~user:member:1'] }, 'content.topics[0]: must be 1 to 256 of A-Z a-z 0-9 . _ @ + - /'],
    [
      { users: Array.from({ length: 16 }, (_, at) => `member:${String(at)}`) },
      'content: must name at most 15 users and topics together, and names 16',
    ],
  ])('a watch of %j is refused', async (content, message) => {
    const one = await watcher();
    expect(await one.ask('watch', content)).toMatchObject({ content: { code: 'bad_content', message } });
  });

  it('ends with unwatch', async () => {
    const one = await watcher();
    await one.watch({ users: ['member:lou', 'member:max'] });
    expect(await one.ask('unwatch', { users: ['member:lou'] })).toMatchObject({
      content: { users: ['member:lou'], topics: [] },
    });
    await stack.connect({ user: 'lou' });
    await stack.connect({ user: 'max' });
    expect(await one.toldOf(1)).toMatchObject([{ user: 'member:max', online: true }]);
  });
});

describe('who asks', () => {
  it('in a listener gets the same, in the tenant of the sender', async () => {
    const one = await watcher();
    await stack.connect({ user: 'ned' });
    const content = { users: ['member:ned', 'member:nobody'] };
    expect(await one.ask('who-is-online', content)).toMatchObject({
      content: [
        { user: 'member:ned', online: true, sessions: 1 },
        { user: 'member:nobody', online: false, sessions: 0, lastSeenAt: null },
      ],
    });
  });

  it.each([
    ['/presence', 'users: must be given, or topic, and not both'],
    ['/presence?topic=a&users=member:1', 'users: must be given, or topic, and not both'],
    ['/presence?users=1', 'users[0]: must be <type>:<id>, each 1 to 128 of A-Z a-z 0-9 . _ @ + -'],
    ['/presence?cursor=a&users=member:1', 'cursor: needs a topic'],
    [`/presence?users=${Array<string>(101).fill('a:1').join(',')}`, 'users: must hold at most 100 users'],
  ])('wrongly, by %s, is refused', async (path, message) => {
    expect(await stack.call('GET', path)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', message } },
    });
  });
});

describe('a session whose $disconnect was lost', () => {
  it('is found by the next probe', async () => {
    const one = await watcher();
    const olga = await subscribed('olga', 'attic');
    await one.watch({ users: ['member:olga'], topics: ['attic'] });
    await setFaults(stack, { lostDisconnect: 1 });
    await olga.close();
    await setFaults(stack, {});
    await growOld(stack, 'olga');
    expect(await presenceOf('member:olga')).toMatchObject([{ online: true }]);
    await probeNow(stack, { kind: 'user', name: 'member:olga' });
    const told = await one.toldOf(2);
    expect(told).toContainEqual({ topic: 'attic', user: 'member:olga', joined: false });
    expect(told).toContainEqual(expect.objectContaining({ user: 'member:olga', online: false }));
    expect(await presenceOf('member:olga')).toMatchObject([{ online: false, sessions: 0 }]);
  });
});
