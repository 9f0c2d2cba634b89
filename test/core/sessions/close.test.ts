import { describe, expect, it, vi } from 'vitest';
import type { Dispatch } from '../../../core/dispatch/dispatch.ts';
import { createReceive } from '../../../core/dispatch/receive.ts';
import type { Closing } from '../../../protocol/index.ts';
import { type Core, minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
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
    },
  );
});

describe('a frame', () => {
  const client = sender();
  const { identity, session } = client;

  it('is dispatched without a read while the token is valid, and its answer is returned', async () => {
    const { core, receive, dispatched } = await receiving();
    core.clock.ms = session.tokenExpiresAt - 1;
    core.sessions.get = () => Promise.reject(new Error('A message costs no read.'));
    expect(await receive('ping', client)).toEqual({ text: 'answer to ping' });
    expect(dispatched).toEqual([{ text: 'ping', tokenExpiresAt: session.tokenExpiresAt }]);
    expect(core.connections.calls).toEqual([]);
  });

  it('from the moment the token expires ends the session: reason, close, and no dispatch', async () => {
    const { core, receive, dispatched } = await receiving();
    core.clock.ms = session.tokenExpiresAt;
    expect(await receive('ping', client)).toBeUndefined();

    expect(dispatched).toEqual([]);
    expect(core.connections.framesTo('c1=')).toMatchObject([
      { type: 'closing', content: { code: 'token_expired', retry: true } },
    ]);
    expect(core.connections.calls.map(({ call }) => call)).toEqual(['post', 'disconnect']);
  });

  it('is dispatched after that if a refresh has moved the expiry, until the new expiry', async () => {
    const { core, receive, dispatched } = await receiving();
    const later = session.tokenExpiresAt + minuteMs;
    expect(await core.sessions.refresh(identity, 'c1=', later)).toBe(later);
    core.clock.ms = later - 1;
    expect(await receive('ping', client)).toEqual({ text: 'answer to ping' });
    expect(dispatched).toEqual([{ text: 'ping', tokenExpiresAt: later }]);
    core.clock.ms = later;
    expect(await receive('ping', client)).toBeUndefined();
  });

  it('without a readable expiry is dispatched only if its session is open', async () => {
    const { core, receive, dispatched } = await receiving();
    await core.sessions.remove(identity, 'c1=');
    await receive('ping', { ...client, session: { ...session, tokenExpiresAt: Number.NaN } });
    expect(dispatched).toEqual([]);
  });
});

function sender() {
  const { connectedAt } = sessionOf('c1=');
  const tokenExpiresAt = connectedAt + 5 * minuteMs;
  return {
    identity: member,
    rights: { topics: [], watch: [] },
    claims: {},
    session: { connectionId: 'c1=', connectedAt, tokenExpiresAt },
  };
}

async function withSession(script: ConnectionsScript = {}): Promise<Core> {
  const core = await dynamodb.create(script);
  await core.sessions.add(sessionOf('c1='));
  return core;
}

async function receiving() {
  const core = await dynamodb.create();
  const { tokenExpiresAt } = sender().session;
  await core.sessions.add(sessionOf('c1=', { tokenExpiresAt }));
  const dispatched: { text: string; tokenExpiresAt: number | undefined }[] = [];
  const dispatch: Dispatch = (text, { session }) => {
    dispatched.push({ text, tokenExpiresAt: session?.tokenExpiresAt });
    return Promise.resolve({ text: `answer to ${text}` });
  };
  const receive = createReceive({ ...core, dispatch });
  return { core, receive, dispatched };
}
