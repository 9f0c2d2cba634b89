import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { DelayedCheck } from '../../../core/sessions/check-queue.ts';
import { closings } from '../../../core/sessions/closings.ts';
import { createOpenSession } from '../../../core/sessions/open.ts';
import { connectionLifetimeMs, type Session } from '../../../protocol/index.ts';
import { type Core, idsOf, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { withInterruption } from '../database-stand-ins.ts';

const dynamodb = useDynamoDB();
const user = { tenant: 'default', userType: 'member', userId: '1' };

/** Opens sessions, and keeps what it sends to the queue. */
function opening(
  core: Core,
  {
    maxSessionsPerUser = 20,
    fault,
    onSend = () => Promise.resolve(),
  }: { maxSessionsPerUser?: number; fault?: Error; onSend?: () => Promise<void> } = {},
) {
  const sent: DelayedCheck[] = [];
  const checks = {
    async send(batch: readonly DelayedCheck[]) {
      if (fault) throw fault;
      sent.push(...batch);
      await onSend();
    },
  };
  const table = core.tables.sessions;
  const { db, sessions, seen, clock } = core;
  const logger = { error: (...entry: unknown[]) => void core.warnings.push(JSON.stringify(entry)) };
  const parts = { table, sessions, checks, seen, clock, maxSessionsPerUser, logger };
  return {
    sent,
    open: createOpenSession({ ...parts, db }),
    openOn: (other: Core['db']) => createOpenSession({ ...parts, db: other }),
  };
}

/** The ids of the user's open sessions. */
async function openIds(core: Core): Promise<string[]> {
  return idsOf((await core.recipients.ofUser(user)).recipients);
}

/** A session whose token lives as long as its connection may. */
function lasting(connectionId: string, differing: Partial<Session> = {}): Session {
  const tokenExpiresAt = startOfTime + connectionLifetimeMs + 60_000;
  return sessionOf(connectionId, { tokenExpiresAt, ...differing });
}

describe('a session that opens', () => {
  it('is there, and costs no check if its token outlives the connection', async () => {
    const core = await dynamodb.create({ hasLaggingReplica: true });
    const { open, sent } = opening(core);
    expect(await open(lasting('c1='), undefined)).toBe('open');
    expect(await openIds(core)).toEqual(['c1=']);
    expect(sent).toEqual([]);
  });

  it('is looked at when its token expires, or as late as the queue can wait', async () => {
    const core = await dynamodb.create();
    const { open, sent } = opening(core);
    await open(lasting('soon=', { tokenExpiresAt: startOfTime + 30_000 }), undefined);
    await open(lasting('later=', { tokenExpiresAt: startOfTime + connectionLifetimeMs - 1 }), undefined);
    expect(sent).toEqual([
      { check: { ...user, connectionId: 'soon=' }, delaySeconds: 30 },
      { check: { ...user, connectionId: 'later=' }, delaySeconds: 900 },
    ]);
  });

  it('opens also if the queue takes no check, and the log says so', async () => {
    const core = await dynamodb.create();
    const { open } = opening(core, { fault: new Error('no queue') });
    expect(await open(sessionOf('c1='), undefined)).toBe('open');
    expect(core.warnings.join()).toContain('expiry is not watched');
  });

  it('fails if nobody can tell whether its token was revoked', async () => {
    const core = await dynamodb.create();
    const db = withInterruption(core.db, (name) =>
      name === 'QueryCommand' ? Promise.reject(new Error('no read')) : Promise.resolve(),
    );
    await expect(opening(core).openOn(db)(sessionOf('c1='), undefined)).rejects.toThrow('no read');
    expect(await core.sessions.row(user, 'c1=')).toBeUndefined();
  });

  it('fails with the first fault, and logs it if its row cannot be removed', async () => {
    const core = await dynamodb.create();
    const sessions = { ...core.sessions, remove: () => Promise.reject(new Error('no delete')) };
    const db = withInterruption(core.db, (name) =>
      name === 'QueryCommand' ? Promise.reject(new Error('no read')) : Promise.resolve(),
    );
    const { openOn } = opening({ ...core, sessions });
    await expect(openOn(db)(sessionOf('c1='), undefined)).rejects.toThrow('no read');
    expect(core.warnings.join()).toContain('row of a failed handshake was not removed');
  });

  it('is refused if it was closed before the read of its rows', async () => {
    const core = await dynamodb.create({ disconnect: () => ({ outcome: 'gone' }) });
    const db = withInterruption(core.db, (name) =>
      name === 'QueryCommand' ? core.closeUser(user, closings.kicked) : Promise.resolve(),
    );
    expect(await opening(core).openOn(db)(lasting('c1='), undefined)).toBe('ended');
    expect(await core.sessions.row(user, 'c1=')).toBeUndefined();
  });
});

describe('a session of a revoked token', () => {
  it.each([
    ['of the same second', startOfTime],
    ['without a time of issue', undefined],
  ])('%s leaves no row', async (_what, issuedAt) => {
    const core = await dynamodb.create({ hasLaggingReplica: true });
    const { open } = opening(core);
    await core.revocations.revoke(user);
    expect(await open(lasting('old='), issuedAt)).toBe('revoked');
    expect(await core.sessions.row(user, 'old=')).toBeUndefined();
    expect(await open(lasting('new='), startOfTime + 1_000)).toBe('open');
    expect(await openIds(core)).toEqual(['new=']);
  });

  it('is refused also if the revocation comes while the queue is slow', async () => {
    const core = await dynamodb.create({ disconnect: () => ({ outcome: 'gone' }) });
    const { open } = opening(core, {
      async onSend() {
        await core.revocations.revoke(user);
        // The row may be written meanwhile. API Gateway answers 410 until the handshake is done.
        await expect.poll(() => core.sessions.row(user, 'c1=')).toBeDefined();
        await core.closeUser(user, closings.revoked);
      },
    });
    expect(await open(sessionOf('c1='), startOfTime)).toBe('revoked');
    expect(await core.sessions.row(user, 'c1=')).toBeUndefined();
  });

  it('ends no older session, however many there are', async () => {
    const core = await dynamodb.create();
    const { open, sent } = opening(core, { maxSessionsPerUser: 1 });
    await core.revocations.revoke(user);
    await open(lasting('new='), startOfTime + 1_000);
    await open(lasting('old=', { connectedAt: startOfTime + 1 }), startOfTime);
    expect(await openIds(core)).toEqual(['new=']);
    expect(sent).toEqual([]);
  });

  it('is never left open by a race of 1,000 handshakes against revocations', async () => {
    // API Gateway opens a connection after `$connect` has answered. Until then, a close of it is answered 410.
    const connected = new Set<string>();
    const core = await dynamodb.create({
      disconnect: (id) => ({ outcome: connected.delete(id) ? 'closed' : 'gone' }),
      wait: (ms) => setTimeout(ms),
    });
    const { open } = opening(core);
    const aMoment = (mostMs = 30) => setTimeout(Math.random() * mostMs);
    const refused = new Set<string>();
    const handshake = async (userId: string, connectionId: string) => {
      await aMoment();
      const answer = await open(lasting(connectionId, { userId }), startOfTime - 1_000);
      await aMoment(500);
      (answer === 'open' ? connected : refused).add(connectionId);
    };
    let closed = 0;
    const revocation = async (userId: string) => {
      await aMoment();
      await core.revocations.revoke({ ...user, userId });
      closed += await core.closeUser({ ...user, userId }, closings.revoked);
    };
    for (let round = 0; round < 5; round += 1) {
      const users = Array.from({ length: 20 }, (_, index) => `user-${String(round)}-${String(index)}`);
      await Promise.all(
        users.flatMap((userId) => [
          revocation(userId),
          ...Array.from({ length: 10 }, (_, index) => handshake(userId, `${userId}-${String(index)}=`)),
        ]),
      );
      for (const userId of users)
        expect((await core.recipients.ofUser({ ...user, userId })).recipients).toEqual([]);
    }
    expect([...connected]).toEqual([]);
    // Both sides of the race were met.
    expect(closed).toBeGreaterThan(0);
    expect(refused.size).toBeGreaterThan(0);
  }, 120_000);
});

describe('a close that API Gateway answers with 410', () => {
  /** Closes a session that is this old. Each of the 410s is followed by the end of the handshake. */
  async function closing(ageMs: number, gones: number) {
    let tries = 0;
    const core = await dynamodb.create({
      disconnect: () => ({ outcome: (tries += 1) > gones ? 'closed' : 'gone' }),
    });
    await core.sessions.add(lasting('c1='));
    core.clock.ms += ageMs;
    await core.closeUser(user, closings.revoked);
    expect(await core.sessions.row(user, 'c1=')).toBeUndefined();
    return core.connections.calls.map(({ call }) => call);
  }
  const once = ['post', 'disconnect'];

  it('is tried again while the handshake may still run', async () => {
    expect(await closing(59_000, 2)).toEqual([...once, ...once, ...once]);
  });

  it('is tried four times at most', async () => {
    expect(await closing(0, 9)).toEqual([...once, ...once, ...once, ...once]);
  });

  it('is believed of an older session', async () => {
    expect(await closing(61_000, 9)).toEqual(once);
  });
});

describe('more sessions of a user than the maximum', () => {
  const at = (ms: number) => ({ connectedAt: startOfTime + ms });

  it('end with the oldest, which is closed with the reason', async () => {
    const core = await dynamodb.create();
    const { open, sent } = opening(core, { maxSessionsPerUser: 2 });
    for (const [id, ms] of [
      ['b=', 2],
      ['a=', 1],
      ['c=', 3],
    ] as const)
      await open(lasting(id, at(ms)), undefined);
    expect(await openIds(core)).toEqual(['b=', 'c=']);
    expect(sent).toEqual([
      { check: { ...user, connectionId: 'a=', code: 'too_many_sessions' }, delaySeconds: 1 },
    ]);
    expect(await core.sessions.row(user, 'a=')).toMatchObject({ endReason: 'too_many_sessions' });
  });

  it('are counted without those that have ended, and without other users', async () => {
    const core = await dynamodb.create();
    const { open, sent } = opening(core, { maxSessionsPerUser: 2 });
    await open(lasting('kicked=', at(5)), undefined);
    await core.sessions.markEnded(user, 'kicked=', closings.kicked);
    await open(sessionOf('expired=', { ...at(4), tokenExpiresAt: startOfTime }), undefined);
    await open(lasting('other=', { ...at(3), userId: '2' }), undefined);
    await open(lasting('a=', at(1)), undefined);
    await open(lasting('b=', at(2)), undefined);
    expect(await openIds(core)).toEqual(['a=', 'b=']);
    expect(sent.filter(({ check }) => check.code)).toEqual([]);
  });

  it.each([1, 3])('that open at the same time leave the newest %i', async (maxSessionsPerUser) => {
    const core = await dynamodb.create();
    const { open } = opening(core, { maxSessionsPerUser });
    const ids = Array.from({ length: 8 }, (_, index) => `c${String(index)}=`);
    // Two at a time have the same time, and the row of the newest is not the last one to be written.
    const all = ids.map((id, index) => lasting(id, at(Math.floor(index / 2))));
    await Promise.all([...all].reverse().map((session) => open(session, undefined)));
    expect(await openIds(core)).toEqual(ids.slice(-maxSessionsPerUser));
  });

  it('stay if the queue takes nothing, and the next session ends them', async () => {
    const core = await dynamodb.create();
    const { open } = opening(core, { maxSessionsPerUser: 1, fault: new Error('no queue') });
    await open(lasting('a=', at(1)), undefined);
    expect(await open(lasting('b=', at(2)), undefined)).toBe('open');
    expect(await openIds(core)).toEqual(['a=', 'b=']);
    expect(core.warnings.join()).toContain('surplus sessions were not ended');
    await opening(core, { maxSessionsPerUser: 1 }).open(lasting('c=', at(3)), undefined);
    expect(await openIds(core)).toEqual(['c=']);
  });
});
