import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../../protocol/index.ts';
import { type Core, later, minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();

async function counts(core: Core, tenant = 'default'): Promise<Record<string, number>> {
  const targets = ['session:c1=', 'user:member:1', 'type:member', 'topic:orders.eu', 'everyone'];
  const counted = targets.map(async (target) => {
    return [target, await core.countSessions(tenant, parseTarget(target, 'target'))] as const;
  });
  return Object.fromEntries(await Promise.all(counted));
}

async function coreWithSessions(): Promise<Core> {
  const core = await dynamodb.create();
  for (const session of [
    sessionOf('c1='),
    sessionOf('c2='),
    sessionOf('c3=', { userId: '2' }),
    sessionOf('c4=', { userType: 'member2' }),
    sessionOf('c5=', { tenant: 'other' }),
  ]) {
    await core.sessions.add(session);
    await core.subscriptions.subscribe({ identity: session, ...session }, 'orders.eu', ['*']);
  }
  return core;
}

describe('the number of sessions', () => {
  it('is that behind any target, of the tenant only', async () => {
    const core = await coreWithSessions();
    expect(await counts(core)).toEqual({
      'session:c1=': 1,
      'user:member:1': 2,
      'type:member': 3,
      'topic:orders.eu': 4,
      everyone: 4,
    });
    expect(await counts(core, 'other')).toEqual({
      'session:c1=': 0,
      'user:member:1': 1,
      'type:member': 1,
      'topic:orders.eu': 1,
      everyone: 1,
    });
  });

  it('has no session whose token has expired, whose connection has ended, or that was marked', async () => {
    const none = {
      'session:c1=': 0,
      'user:member:1': 0,
      'type:member': 0,
      'topic:orders.eu': 0,
      everyone: 0,
    };
    const expired = await coreWithSessions();
    expired.clock.ms = startOfTime + 60 * minuteMs;
    expect(await counts(expired)).toEqual(none);
    const ended = await dynamodb.create();
    await ended.sessions.add(sessionOf('c1=', { tokenExpiresAt: later }));
    expect(await counts(ended)).toMatchObject({ 'user:member:1': 1, everyone: 1 });
    ended.clock.ms = startOfTime + 130 * minuteMs;
    expect(await counts(ended)).toEqual(none);
    const marked = await coreWithSessions();
    for (const id of ['c1=', 'c2='])
      await marked.sessions.recordEnd(sessionOf(id), id, { code: 1001, reason: 'away' });
    expect((await counts(marked))['user:member:1']).toBe(0);
  });
});
