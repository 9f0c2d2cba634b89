import { describe, expect, it } from 'vitest';
import type { Sender } from '../../../core/dispatch/context.ts';
import type { Dispatch } from '../../../core/dispatch/dispatch.ts';
import { createReceive } from '../../../core/dispatch/receive.ts';
import { minuteMs, newToken, sessionOf, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const member = { tenant: 'default', userType: 'member', userId: '1' };
const kicked = { code: 'kicked', message: 'Ended by the service.', retry: false } as const;

describe('a frame', () => {
  const client = sender();
  const { identity, session } = client;

  it.each(['ping', '{"type":"ping","id":"1"}'])('that is a ping costs no read: %s', async (text) => {
    const { core, receive, dispatched } = await receiving();
    core.clock.ms = session.tokenExpiresAt - 1;
    core.sessions.row = () => Promise.reject(new Error('A ping costs no read.'));
    expect(await receive(text, client)).toEqual({ text: `answer to ${text}` });
    expect(dispatched).toMatchObject([{ text, session }]);
    expect(core.connections.calls).toEqual([]);
  });

  it('is dispatched with the rights of the handshake until a refresh brings others', async () => {
    const { core, receive, dispatched } = await receiving();
    await receive('hello', client);
    const token = { ...newToken(session.tokenExpiresAt, ['news']), claims: { plan: 'free' } };
    await core.refreshSession(identity, 'c1=', token);
    await receive('hello', client);
    expect(dispatched).toMatchObject([
      { rights: client.rights, claims: client.claims },
      { rights: { topics: ['news'], watch: [] }, claims: { plan: 'free' } },
    ]);
  });

  it('of a session that has been marked is not handled, and who set the mark closes it', async () => {
    const { core, receive, dispatched } = await receiving();
    await core.sessions.markEnded(identity, 'c1=', kicked);
    expect(await receive('hello', client)).toBeUndefined();
    expect([dispatched, core.connections.calls]).toEqual([[], []]);
  });

  it('of a session that was marked long ago closes it with the reason of the mark', async () => {
    const { core, receive, dispatched } = await receiving();
    await core.sessions.markEnded(identity, 'c1=', kicked);
    core.clock.ms += minuteMs;
    expect(await receive('hello', client)).toBeUndefined();
    expect(dispatched).toEqual([]);
    expect(core.connections.framesTo('c1=')).toMatchObject([
      { type: 'closing', content: { code: 'kicked', retry: false } },
    ]);
    expect(await core.sessions.row(identity, 'c1=')).toBeUndefined();
  });

  it('without a session closes the connection, and the client may connect again', async () => {
    const { core, receive, dispatched } = await receiving();
    await core.sessions.remove(identity, 'c1=');
    expect(await receive('hello', client)).toBeUndefined();
    expect(dispatched).toEqual([]);
    expect(core.connections.framesTo('c1=')).toMatchObject([
      { type: 'closing', content: { code: 'not_found', retry: true } },
    ]);
    expect(core.connections.calls.map(({ call }) => call)).toEqual(['post', 'disconnect']);
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
    await core.refreshSession(identity, 'c1=', newToken(later));
    core.clock.ms = later - 1;
    expect(await receive('ping', client)).toEqual({ text: 'answer to ping' });
    expect(dispatched).toMatchObject([{ text: 'ping', session: { tokenExpiresAt: later } }]);
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

async function receiving() {
  const core = await dynamodb.create();
  const { tokenExpiresAt } = sender().session;
  await core.sessions.add(sessionOf('c1=', { tokenExpiresAt }));
  const dispatched: (Sender & { text: string })[] = [];
  const dispatch: Dispatch = (text, from) => {
    dispatched.push({ text, ...from });
    return Promise.resolve({ text: `answer to ${text}` });
  };
  const receive = createReceive({ ...core, dispatch });
  return { core, receive, dispatched };
}
