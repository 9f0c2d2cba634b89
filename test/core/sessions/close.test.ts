import type { Logger } from '@aws-lambda-powertools/logger';
import { describe, expect, it, vi } from 'vitest';
import type { Closing } from '../../../protocol/index.ts';
import { createCheckSessions } from '../../../core/sessions/check.ts';
import type { CheckQueue, DelayedCheck } from '../../../core/sessions/check-queue.ts';
import { createCloseSession } from '../../../core/sessions/close.ts';
import { type Core, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { failed, gone, type ConnectionsScript, throttled } from '../recording-connections.ts';
import { useCheckQueue } from './check-queue-under-test.ts';

const dynamodb = useDynamoDB();
const member = { tenant: 'default', userType: 'member', userId: '1' };
const kicked: Closing = { code: 'kicked', message: 'Ended by the service.', retry: false };

describe('ending a session', () => {
  it('marks it first, then sends the reason, closes, and only then deletes the row', async () => {
    const seen: unknown[] = [];
    const look = async () => seen.push((await core.sessions.row(member, 'c1='))?.endedAt);
    const core: Core = await withSession({
      async post() {
        await look();
        return { outcome: 'sent' };
      },
      async disconnect() {
        await look();
        return { outcome: 'closed' };
      },
    });
    await core.closeSession(sessionOf('c1='), kicked);

    expect(core.connections.calls).toEqual([
      {
        call: 'post',
        connectionId: 'c1=',
        text: JSON.stringify({ type: 'closing', content: kicked }),
      },
      { call: 'disconnect', connectionId: 'c1=' },
    ]);
    expect(seen).toEqual([startOfTime, startOfTime]);
    expect(await core.sessions.row(member, 'c1=')).toBeUndefined();
  });

  it('gives the reason no more than a second, so that a client that reads nothing cannot stay', async () => {
    const core = await withSession();
    const post = vi.spyOn(core.connections, 'post');
    await core.closeSession(sessionOf('c1='), kicked);
    expect(post.mock.calls.map(([, , limits]) => limits)).toEqual([{ deadline: startOfTime + 1_000 }]);
  });

  it('leaves the other sessions of the user alone', async () => {
    const core = await withSession();
    await core.sessions.add(sessionOf('c2='));
    await core.closeSession(sessionOf('c1='), kicked);
    expect(await core.sessions.get(member, 'c2=')).toBeDefined();
  });

  it.each([gone, throttled, failed])('closes even if the reason was not sent: $outcome', async (post) => {
    const core = await withSession({ post: () => post });
    await core.closeSession(sessionOf('c1='), kicked);
    expect(core.connections.calls.at(-1)).toEqual({ call: 'disconnect', connectionId: 'c1=' });
    expect(await core.sessions.get(member, 'c1=')).toBeUndefined();
  });

  it('deletes the row of a connection that is already gone', async () => {
    const core = await withSession({ disconnect: () => ({ outcome: 'gone' }) });
    await core.closeSession(sessionOf('c1='), kicked);
    expect(await core.sessions.get(member, 'c1=')).toBeUndefined();
  });

  it.each([throttled, failed])(
    'keeps the row if the close fails ($outcome), so that it can be retried',
    async (end) => {
      const core = await withSession({ disconnect: () => end });
      const ended = core.closeSession(sessionOf('c1='), kicked);
      await expect(ended).rejects.toThrow(/could not be closed|was not closed/);
      expect(await core.sessions.row(member, 'c1=')).toBeDefined();

      core.connections.disconnect = () => Promise.resolve({ outcome: 'closed' });
      expect(await core.closeUser(member, { ...kicked, code: 'revoked' })).toBe(1);
      expect(await core.sessions.row(member, 'c1=')).toBeUndefined();
    },
  );
});

describe('a session that could not be closed', () => {
  const checks = useCheckQueue();

  async function withQueue(send: CheckQueue['send'], script: ConnectionsScript) {
    const core = await withSession(script);
    const errors: unknown[] = [];
    const logger = { error: (...line: unknown[]) => errors.push(line) };
    const options = { ...core, checks: { send }, logger: logger as Pick<Logger, 'error'> };
    return { core, errors, closeSession: createCloseSession(options) };
  }

  it('is looked at again, and then closed with the reason of the first try', async () => {
    const queue = await checks.create();
    const sent: DelayedCheck[] = [];
    const send: CheckQueue['send'] = (messages) => {
      sent.push(...messages);
      return queue.checks.send(messages.map(({ check }) => ({ check, delaySeconds: 0 })));
    };
    const { core, closeSession } = await withQueue(send, { disconnect: () => throttled });
    await expect(closeSession(sessionOf('c1='), kicked)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(sent).toEqual([{ check: { ...member, connectionId: 'c1=' }, delaySeconds: 5 }]);

    core.connections.disconnect = () => Promise.resolve({ outcome: 'closed' });
    const check = createCheckSessions({ ...core, checks: queue.checks });
    expect(await check([await queue.receive()])).toEqual([]);
    expect(await core.sessions.row(member, 'c1=')).toBeUndefined();
    expect(core.connections.framesTo('c1=').at(-1)).toMatchObject({ content: { code: 'kicked' } });
  });

  it('is reported as before if the queue takes nothing', async () => {
    const fault = new Error('no queue');
    const { errors, closeSession } = await withQueue(() => Promise.reject(fault), {
      disconnect: () => failed,
    });
    await expect(closeSession(sessionOf('c1='), kicked)).rejects.toThrow('was not closed');
    expect(errors).toEqual([['close is not tried again', { connectionId: 'c1=', cause: fault }]]);
  });

  it('is not looked at if it was closed', async () => {
    const send = vi.fn<CheckQueue['send']>();
    const { closeSession } = await withQueue(send, {});
    await closeSession(sessionOf('c1='), kicked);
    expect(send).not.toHaveBeenCalled();
  });
});

describe('ending all sessions of a user', () => {
  it('goes on after a page with a connection that cannot be closed, and then says so', async () => {
    const core = await withSession({ disconnect: (id) => (id === 'c1=' ? failed : { outcome: 'closed' }) });
    const others = Array.from({ length: 100 }, (_, index) => `d${String(index)}=`);
    await Promise.all(others.map((id) => core.sessions.add(sessionOf(id))));
    await expect(core.closeUser(member, kicked)).rejects.toThrow('was not closed');
    const { recipients } = await core.recipients.ofUser(member, { includesEnded: true });
    expect(recipients.map(({ connectionId }) => connectionId)).toEqual(['c1=']);
  });
});

async function withSession(script: ConnectionsScript = {}): Promise<Core> {
  const core = await dynamodb.create(script);
  await core.sessions.add(sessionOf('c1='));
  return core;
}
