import { describe, expect, it, vi } from 'vitest';
import type { Closing } from '../../../protocol/index.ts';
import { type Core, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { failed, gone, type ConnectionsScript, throttled } from '../recording-connections.ts';

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
