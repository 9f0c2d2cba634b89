import { describe, expect, it, vi } from 'vitest';
import { grantsOf } from '../../../core/sessions/grants.ts';
import { createRefreshSession } from '../../../core/sessions/refresh.ts';
import { createSessionStore } from '../../../core/sessions/store.ts';
import {
  type Core,
  idsOf,
  minuteMs,
  newToken,
  sessionOf,
  startOfTime,
  useDynamoDB,
} from '../core-under-test.ts';
import { withInterruption, withResentWrite } from '../database-stand-ins.ts';

const dynamodb = useDynamoDB();
const member = { tenant: 'default', userType: 'member', userId: '1' };
const kicked = { code: 'kicked', message: 'x', retry: false } as const;
const until = startOfTime + 110 * minuteMs;

/** A refresh that uses another client of the same database. */
function refreshOn(core: Core, db: Core['db']) {
  const table = core.tables.sessions;
  const shards = core.recipients.shards;
  return createRefreshSession({ db, table, ...createSessionStore({ ...core, db, table, shards }) });
}

describe('refreshing a session', () => {
  async function subscribed(): Promise<Core> {
    const core = await dynamodb.create();
    const session = sessionOf('c1=');
    await core.sessions.add(session);
    await core.subscriptions.subscribe({ identity: member, ...session }, 'orders', ['*']);
    return core;
  }

  async function subscribers({ recipients }: Core): Promise<string[]> {
    const found = await Promise.all(
      [0, 1, 2].map((shard) => recipients.ofTopic({ tenant: 'default', topic: 'orders', shard })),
    );
    return idsOf(found.flatMap((page) => page.recipients));
  }

  it('moves its expiry and that of its subscriptions, but never to an earlier time', async () => {
    const core = await subscribed();
    const moved = { tokenExpiresAt: until, unsubscribed: [] };
    expect(await core.refreshSession(member, 'c1=', newToken(until))).toEqual(moved);
    expect(await core.refreshSession(member, 'c1=', newToken(until - 1))).toEqual(moved);
    core.clock.ms = until - 1;
    expect(await core.sessions.get(member, 'c1=')).toMatchObject({ tokenExpiresAt: until });
    expect(await subscribers(core)).toEqual(['c1=']);
  });

  it('is completed by the next refresh with the same token if it failed half-way', async () => {
    const core = await subscribed();
    const extend = vi.spyOn(core.subscriptions, 'extend').mockRejectedValueOnce(new Error('throttled'));
    await expect(core.refreshSession(member, 'c1=', newToken(until))).rejects.toThrow('throttled');
    expect(await core.refreshSession(member, 'c1=', newToken(until))).toMatchObject({
      tokenExpiresAt: until,
    });
    expect(extend).toHaveBeenCalledTimes(2);
    core.clock.ms = until - 1;
    expect(await subscribers(core)).toEqual(['c1=']);
  });

  it('writes nothing if the token changes nothing', async () => {
    const core = await subscribed();
    await core.refreshSession(member, 'c1=', newToken(until));
    const commands: string[] = [];
    const watched = withInterruption(core.db, (name) => Promise.resolve(commands.push(name)));
    await refreshOn(core, watched)(member, 'c1=', newToken(until));
    expect(commands).toEqual(['GetCommand', 'GetCommand']);
  });

  it.each([
    ['has been removed', (core: Core) => core.sessions.remove(member, 'c1=')],
    ['is marked as ended', (core: Core) => core.sessions.markEnded(member, 'c1=', kicked)],
  ])('that %s changes no row', async (_what, end) => {
    const core = await subscribed();
    await end(core);
    const before = await core.sessions.row(member, 'c1=');
    expect(await core.refreshSession(member, 'c1=', newToken(until))).toBeUndefined();
    expect(await core.sessions.row(member, 'c1=')).toEqual(before);
    core.clock.ms = until - 1;
    expect(await subscribers(core)).toEqual([]);
  });
});

describe('the rights of a session', () => {
  const topics = ['orders.eu', 'orders.us', 'prices'];

  async function subscribedToAll(): Promise<Core> {
    const core = await dynamodb.create({ shards: 1 });
    await core.sessions.add(sessionOf('c1='));
    for (const topic of topics)
      await core.subscriptions.subscribe({ identity: member, connectionId: 'c1=' }, topic, ['*']);
    return core;
  }

  async function topicsOf({ recipients, sessions }: Core) {
    const found = await Promise.all(
      topics.map(async (topic) => {
        const page = await recipients.ofTopic({ tenant: 'default', topic, shard: 0 });
        return page.recipients.length > 0 ? [topic] : [];
      }),
    );
    return { rows: found.flat(), list: (await sessions.get(member, 'c1='))?.topics };
  }

  it('are those of the last token, which ends the subscriptions that it does not allow', async () => {
    const core = await subscribedToAll();
    const token = { ...newToken(until, ['orders.*']), claims: { plan: 'free' } };
    expect(await core.refreshSession(member, 'c1=', token)).toEqual({
      tokenExpiresAt: until,
      unsubscribed: ['prices'],
    });
    const row = await core.sessions.row(member, 'c1=');
    expect(row && grantsOf(row)).toEqual({ rights: token.rights, claims: token.claims });
    const left = ['orders.eu', 'orders.us'];
    expect(await topicsOf(core)).toEqual({ rows: left, list: left });
  });

  it('change with a token that ends at the same time', async () => {
    const core = await subscribedToAll();
    const { tokenExpiresAt } = sessionOf('c1=');
    const refreshed = await core.refreshSession(member, 'c1=', newToken(tokenExpiresAt, []));
    expect(refreshed?.unsubscribed.toSorted()).toEqual(topics);
    expect(await topicsOf(core)).toEqual({ rows: [], list: [] });
  });

  it('stay as they are if the token ends before the session: it would outlive the right', async () => {
    const core = await subscribedToAll();
    await core.refreshSession(member, 'c1=', newToken(until, ['orders.*']));
    const shorter = await core.refreshSession(member, 'c1=', newToken(until - 1, ['*']));
    expect(shorter).toEqual({ tokenExpiresAt: until, unsubscribed: [] });
    expect(
      await core.subscriptions.subscribe({ identity: member, connectionId: 'c1=' }, 'prices', ['*']),
    ).toBe('forbidden');
  });

  it('are named again if the answer of the write was lost and the SDK sent it again', async () => {
    const core = await subscribedToAll();
    const db = withResentWrite(core.db, 'UpdateCommand');
    const refreshed = await refreshOn(core, db)(member, 'c1=', newToken(until, ['orders.*']));
    expect(refreshed?.unsubscribed).toEqual(['prices']);
    expect((await topicsOf(core)).rows).toEqual(['orders.eu', 'orders.us']);
  });
});
