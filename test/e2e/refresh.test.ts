import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { connect } from '../../client/index.ts';
import type { Client } from './client.ts';
import { signToken, type Stack, startStack, type User } from './stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

function token(user: User): Promise<string> {
  return signToken({ type: 'member', tenant: 'default', topics: ['news.*'], ttlSeconds: 3600, ...user });
}

function refresh(client: Client, fresh: string) {
  return client.ask({ type: 'refresh', id: 'r', content: { token: fresh } });
}

/** The user's latest session. */
async function sessionOf(user: string) {
  const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
  const { sessions } = body as { sessions: { tokenExpiresAt: number; connectedAt: number }[] };
  return sessions.sort((a, b) => b.connectedAt - a.connectedAt)[0];
}

describe('refresh', () => {
  it('with a new token of the same user keeps the session and its subscriptions beyond the first token', async () => {
    // This starts the functions, so that the first token does not expire before its refresh.
    const other = { user: 'other', type: 'other' };
    await refresh(await stack.connect(other), await token(other));
    const client = await stack.connect({ user: 'stays', ttlSeconds: 4, topics: ['news.*'] });
    await client.ask({ type: 'subscribe', id: 's', content: { topic: 'news.eu' } });
    const first = (await sessionOf('stays'))?.tokenExpiresAt ?? 0;
    const ack = await refresh(client, await token({ user: 'stays' }));
    const { tokenExpiresAt } = ack['content'] as { tokenExpiresAt: number };
    expect(tokenExpiresAt - first).toBeGreaterThan(3_000_000);
    expect(await sessionOf('stays')).toMatchObject({ tokenExpiresAt });
    // A new subscription gets the new expiry of the session.
    await client.ask({ type: 'subscribe', id: 's', content: { topic: 'news.us' } });

    // The token of `ends` expires after the first token. Once `ends` gets no publishes, the first token has expired.
    await stack.connect({ user: 'ends', ttlSeconds: 4 });
    const toEnds = { to: 'user:member:ends', type: 'n', content: 1 };
    await expect.poll(() => stack.publish(toEnds)).toMatchObject({ body: { delivered: 0 } });
    for (const to of ['user:member:stays', 'type:member', 'topic:news.eu', 'topic:news.us']) {
      expect(await stack.publish({ to, type: 'n', content: to })).toMatchObject({ body: { delivered: 1 } });
      expect(await client.next()).toMatchObject({ content: to });
    }
    expect(await client.ask({ type: 'ping', id: 'p' })).toMatchObject({ type: 'pong' });
  });

  it('never shortens a session', async () => {
    const client = await stack.connect({ user: 'long', ttlSeconds: 3600 });
    const before = (await sessionOf('long'))?.tokenExpiresAt;
    const ack = await refresh(client, await token({ user: 'long', ttlSeconds: 60 }));
    expect(ack['content']).toEqual({ tokenExpiresAt: before });
  });

  it.each([
    ['another user', { user: 'other' }, 'is not of the user of this session'],
    ['another type', { user: 'me', type: 'admin' }, 'is not of the user of this session'],
    ['another tenant', { user: 'me', tenant: 'other' }, 'is not of the user of this session'],
    ['no time left', { user: 'me', ttlSeconds: -1 }, 'is not valid'],
  ])('with a token of %s is forbidden and does not change the session', async (_what, user, why) => {
    const client = await stack.connect({ user: 'me' });
    const before = await sessionOf('me');
    expect(await refresh(client, await token(user))).toEqual({
      type: 'error',
      id: 'r',
      content: { code: 'forbidden', message: `content.token: ${why}`, requestType: 'refresh' },
    });
    expect(await sessionOf('me')).toEqual(before);
    await client.close();
  });

  it('with a text that is not a token is forbidden, and no log or answer repeats the text', async () => {
    const client = await stack.connect({ user: 'odd' });
    const answer = await refresh(client, 'hunter2');
    expect(answer).toMatchObject({ content: { code: 'forbidden' } });
    expect(JSON.stringify(answer) + stack.lines.join('\n')).not.toContain('hunter2');
    expect(await client.ask({ type: 'refresh', id: 'r', content: {} })).toMatchObject({
      content: { code: 'bad_content', message: 'content.token: is required' },
    });
  });

  it('is sent by the client itself, without a change of its status', async () => {
    let fetched = 0;
    const client = connect({
      url: `${stack.url.replace('http', 'ws')}/live`,
      token: () => token({ user: 'auto', ttlSeconds: (fetched += 1) === 1 ? 11 : 3600 }),
      WebSocket,
    });
    const states: string[] = [];
    client.on('status', ({ state }) => states.push(state));
    await client.send('demo-message-send', { text: 'hi', toUserId: 'nobody' });
    const first = (await sessionOf('auto'))?.tokenExpiresAt ?? 0;
    await expect.poll(async () => (await sessionOf('auto'))?.tokenExpiresAt).toBeGreaterThan(first + 60_000);
    await client.send('demo-message-send', { text: 'hi', toUserId: 'nobody' });
    expect([fetched, states]).toEqual([2, ['open']]);
    await client.close();
  });
});
