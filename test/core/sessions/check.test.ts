import { describe, expect, it } from 'vitest';
import { createCheckSessions } from '../../../core/sessions/check.ts';
import { closings } from '../../../core/sessions/closings.ts';
import { createOpenSession } from '../../../core/sessions/open.ts';
import { connectionLifetimeMs } from '../../../protocol/index.ts';
import {
  type Core,
  type CoreOptions,
  newToken,
  sessionOf,
  startOfTime,
  useDynamoDB,
} from '../core-under-test.ts';
import { throttled } from '../recording-connections.ts';
import { type QueueUnderTest, useCheckQueue } from './check-queue-under-test.ts';

const dynamodb = useDynamoDB();
const queues = useCheckQueue();
const user = { tenant: 'default', userType: 'member', userId: '1' };
const hourMs = 3_600_000;

/** A core with a session, a queue, and what checks the sessions. */
async function checking(options: CoreOptions = {}, session = sessionOf('c1=')) {
  const core = await dynamodb.create(options);
  const queue = await queues.create();
  const { sessions, closeSession, clock } = core;
  const logger = { error: (...entry: unknown[]) => void core.warnings.push(JSON.stringify(entry)) };
  const parts = { sessions, closeSession, clock, logger, checks: queue.checks };
  await sessions.add(session);
  return { core, queue, check: createCheckSessions(parts) };
}

const messageOf = (differing: object = {}) => ({
  messageId: 'm1',
  body: JSON.stringify({ ...user, connectionId: 'c1=', ...differing }),
});

function codesTo(core: Core, connectionId: string): unknown[] {
  return core.connections
    .framesTo(connectionId)
    .map((frame) => (frame as { content: { code: string } }).content.code);
}

/** Proves that the queue holds nothing: the message that is sent now is the next one. */
async function expectEmpty({ checks, receive }: QueueUnderTest): Promise<void> {
  await checks.send([{ check: { ...user, connectionId: 'barrier=' }, delaySeconds: 0 }]);
  expect((await receive()).body).toContain('barrier=');
}

describe('the check of a session', () => {
  it('closes it once its token has expired', async () => {
    const { core, queue, check } = await checking();
    core.clock.ms += hourMs;
    expect(await check([messageOf()])).toEqual([]);
    expect(core.connections.framesTo('c1=')).toEqual([{ type: 'closing', content: closings.token_expired }]);
    expect(core.connections.calls.at(-1)).toEqual({ call: 'disconnect', connectionId: 'c1=' });
    expect(await core.sessions.row(user, 'c1=')).toBeUndefined();
    await expectEmpty(queue);
  });

  it('leaves it alone until then, and is sent on through the queue, from hop to hop', async () => {
    const { core, queue, check } = await checking(
      {},
      sessionOf('c1=', { tokenExpiresAt: startOfTime + 1_500 }),
    );
    const open = createOpenSession({
      ...core,
      table: core.tables.sessions,
      checks: queue.checks,
      maxSessionsPerUser: 20,
    });
    await open(sessionOf('c1=', { tokenExpiresAt: startOfTime + 1_500 }), undefined);
    // The first one comes too early, so it is not the last.
    core.clock.ms += 1_000;
    expect(await check([await queue.receive()])).toEqual([]);
    expect(core.connections.calls).toEqual([]);
    core.clock.ms += 500;
    expect(await check([await queue.receive()])).toEqual([]);
    expect(codesTo(core, 'c1=')).toEqual(['token_expired']);
    await expectEmpty(queue);
  });

  it('leaves a refreshed session alone until its new expiry', async () => {
    const { core, queue, check } = await checking();
    await core.refreshSession(user, 'c1=', newToken(startOfTime + hourMs + 1_000));
    core.clock.ms += hourMs;
    await check([messageOf()]);
    expect(core.connections.calls).toEqual([]);
    core.clock.ms += 1_000;
    await check([await queue.receive()]);
    expect(codesTo(core, 'c1=')).toEqual(['token_expired']);
  });

  it.each([
    ['was removed', (core: Core) => core.sessions.remove(user, 'c1=')],
    [
      'was refreshed beyond the end of its connection',
      (core: Core) => core.refreshSession(user, 'c1=', newToken(startOfTime + connectionLifetimeMs)),
    ],
  ])('is the last one if the session %s', async (_what, act) => {
    const { core, queue, check } = await checking();
    await act(core);
    core.clock.ms += hourMs;
    expect(await check([messageOf()])).toEqual([]);
    expect(core.connections.calls).toEqual([]);
    await expectEmpty(queue);
  });

  it('may come twice, late and in any order', async () => {
    const { core, queue, check } = await checking();
    core.clock.ms += hourMs;
    const late = messageOf();
    expect(await check([late])).toEqual([]);
    expect(await check([late, { ...late, messageId: 'm2' }])).toEqual([]);
    expect(codesTo(core, 'c1=')).toEqual(['token_expired']);
    await expectEmpty(queue);
  });

  it('with a reason closes it at once', async () => {
    const { core, check } = await checking();
    await check([messageOf({ code: 'too_many_sessions' })]);
    expect(core.connections.framesTo('c1=')).toEqual([
      { type: 'closing', content: closings.too_many_sessions },
    ]);
    expect(closings.too_many_sessions).toMatchObject({ code: 'too_many_sessions', retry: false });
  });

  it('closes it also if its handshake was not done at the first try', async () => {
    let tries = 0;
    const { core, check } = await checking({
      disconnect: () => ({ outcome: (tries += 1) === 1 ? 'gone' : 'closed' }),
    });
    await check([messageOf({ code: 'too_many_sessions' })]);
    expect(codesTo(core, 'c1=')).toEqual(['too_many_sessions', 'too_many_sessions']);
    expect(tries).toBe(2);
  });

  it('closes a session whose earlier close failed, with the reason of that close', async () => {
    const ends = [throttled, { outcome: 'closed' }] as const;
    let closes = 0;
    const { core, check } = await checking({ disconnect: () => ends[closes++] ?? throttled });
    await expect(core.closeSession(sessionOf('c1='), closings.kicked)).rejects.toThrow();
    core.clock.ms += hourMs;
    expect(await check([messageOf()])).toEqual([]);
    expect(codesTo(core, 'c1=')).toEqual(['kicked', 'kicked']);
    expect(await core.sessions.row(user, 'c1=')).toBeUndefined();
  });
});

describe('a batch of checks', () => {
  it('reports the messages that failed, and only those', async () => {
    const { core, check } = await checking({
      disconnect: (id) => (id === 'stuck=' ? throttled : { outcome: 'closed' }),
    });
    await core.sessions.add(sessionOf('stuck='));
    core.clock.ms += hourMs;
    const failed = await check([
      messageOf(),
      { ...messageOf({ connectionId: 'stuck=' }), messageId: 'm2' },
      { messageId: 'm3', body: 'no check' },
    ]);
    expect([...failed].sort()).toEqual(['m2', 'm3']);
    expect(await core.sessions.row(user, 'c1=')).toBeUndefined();
    expect(core.warnings.join()).toContain('session was not checked');
  });

  it('reports those that could not be sent on', async () => {
    const { core } = await checking();
    const { sessions, closeSession, clock } = core;
    const checks = { send: () => Promise.reject(new Error('no queue')) };
    const logger = { error: () => undefined };
    const check = createCheckSessions({ sessions, closeSession, clock, logger, checks });
    expect(await check([messageOf()])).toEqual(['m1']);
  });
});
