import { describe, expect, it } from 'vitest';
import { createCloseSession } from '../../core/close-session.ts';
import { createReceive } from '../../core/receive.ts';
import type { Closing } from '../../protocol/index.ts';
import { type Core, minuteMs, sessionOf, useDynamoDB } from './core-under-test.ts';
import { failed, gone, type PosterScript, throttled } from './recording-poster.ts';

const dynamodb = useDynamoDB();
const member = { tenant: 'default', userType: 'member', userId: '1' };
const kicked: Closing = { code: 'kicked', message: 'Ended by the service.', retry: false };

describe('ending a session', () => {
  it('says why, then closes, and only then forgets the row', async () => {
    let isListedAtClose: boolean | undefined;
    const core: Core = await withSession({
      async disconnect(connectionId) {
        isListedAtClose = (await core.sessions.get(member, connectionId)) !== undefined;
        return { outcome: 'closed' };
      },
    });
    await createCloseSession(core)(sessionOf('c1='), kicked);

    expect(core.poster.calls).toEqual([
      {
        call: 'post',
        connectionId: 'c1=',
        text: JSON.stringify({ type: 'closing', content: kicked }),
      },
      { call: 'disconnect', connectionId: 'c1=' },
    ]);
    expect(isListedAtClose).toBe(true);
    expect(await core.sessions.get(member, 'c1=')).toBeUndefined();
  });

  it('leaves the other sessions of the user alone', async () => {
    const core = await withSession();
    await core.sessions.add(sessionOf('c2='));
    await createCloseSession(core)(sessionOf('c1='), kicked);
    expect(await core.sessions.get(member, 'c2=')).toBeDefined();
  });

  it.each([gone, throttled, failed])('goes on when the reason could not be sent: $outcome', async (post) => {
    const core = await withSession({ post: () => post });
    await createCloseSession(core)(sessionOf('c1='), kicked);
    expect(core.poster.calls.at(-1)).toEqual({ call: 'disconnect', connectionId: 'c1=' });
    expect(await core.sessions.get(member, 'c1=')).toBeUndefined();
  });

  it('forgets the row of a connection that was gone already', async () => {
    const core = await withSession({ disconnect: () => ({ outcome: 'gone' }) });
    await createCloseSession(core)(sessionOf('c1='), kicked);
    expect(await core.sessions.get(member, 'c1=')).toBeUndefined();
  });

  it.each([throttled, failed])(
    'that fails ($outcome) keeps the row, so that it can be tried again',
    async (end) => {
      const core = await withSession({ disconnect: () => end });
      const ended = createCloseSession(core)(sessionOf('c1='), kicked);
      await expect(ended).rejects.toThrow(/could not be closed|was not closed/);
      expect(await core.sessions.get(member, 'c1=')).toBeDefined();
    },
  );
});

describe('a frame', () => {
  it('is dispatched while the token is valid, and its answer returned', async () => {
    const { core, receive, dispatched } = await receiving();
    core.clock.ms = sender.tokenExpiresAt - 1;
    expect(await receive('ping', sender)).toBe('answer to ping');
    expect(dispatched).toEqual(['ping']);
    expect(core.poster.calls).toEqual([]);
  });

  it('from the moment the token expires ends the session instead: reason, close, and nothing dispatched', async () => {
    const { core, receive, dispatched } = await receiving();
    core.clock.ms = sender.tokenExpiresAt;
    expect(await receive('ping', sender)).toBeUndefined();

    expect(dispatched).toEqual([]);
    expect(core.poster.framesTo('c1=')).toMatchObject([
      { type: 'closing', content: { code: 'token_expired', retry: true } },
    ]);
    expect(core.poster.calls.map(({ call }) => call)).toEqual(['post', 'disconnect']);
  });

  it('of a connection whose expiry cannot be read is not dispatched', async () => {
    const { receive, dispatched } = await receiving();
    await receive('ping', { ...sender, tokenExpiresAt: Number.NaN });
    expect(dispatched).toEqual([]);
  });
});

const sender = {
  topics: [],
  identity: member,
  connectionId: 'c1=',
  connectedAt: sessionOf('c1=').connectedAt,
  tokenExpiresAt: sessionOf('c1=').connectedAt + 5 * minuteMs,
};

async function withSession(script: PosterScript = {}): Promise<Core> {
  const core = await dynamodb.create(script);
  await core.sessions.add(sessionOf('c1='));
  return core;
}

async function receiving() {
  const core = await withSession();
  const dispatched: string[] = [];
  const dispatch = (text: string) => {
    dispatched.push(text);
    return Promise.resolve(`answer to ${text}`);
  };
  const receive = createReceive({ dispatch, closeSession: createCloseSession(core), now: core.now });
  return { core, receive, dispatched };
}
