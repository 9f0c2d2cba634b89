import { describe, expect, it, vi } from 'vitest';
import { type Client, clientOf, connectEvent, messageEvent, nulls } from './events.ts';
import { useCloud } from './functions-under-test.ts';

const cloud = useCloud();

describe('a frame', () => {
  it('is answered through the route response, without a call of the callback API', async () => {
    const { message } = await load([clientOf('c1=')]);
    const client = clientOf('c1=');
    expect(await message(messageEvent(client, 'ping'))).toEqual({ statusCode: 200, body: 'pong' });
    expect(await message(messageEvent(client, '{"type":"ping","id":"1"}'))).toEqual({
      statusCode: 200,
      body: '{"type":"pong","id":"1","content":null}',
    });
    expect(cloud.current().callbackApi.calls).toEqual([]);
  });

  it('reaches its listener, which sends to others; the ack comes back', async () => {
    const { message } = await load([clientOf('c1='), clientOf('c2=', { userId: '2' })]);
    const body = '{"type":"demo-message-send","id":"1","content":{"text":"hi","toUserId":2}}';
    const answer = await message(messageEvent(clientOf('c1='), body));

    expect(answer.statusCode).toBe(200);
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ type: 'ack', id: '1', content: { delivered: 1 } });
    expect(cloud.current().callbackApi.calls).toMatchObject([
      {
        method: 'POST',
        connectionId: 'c2=',
        body: {
          type: 'demo-message-receive',
          content: { fromUserId: '1', text: 'hi', single: true },
          from: { tenant: 'default', userType: 'member', userId: '1' },
        },
      },
    ]);
  });

  it('without an id is answered without a body, so the client gets nothing', async () => {
    const { message } = await load([clientOf('c1=')]);
    const body = '{"type":"demo-message-send","content":{"text":"hi"}}';
    expect(await message(messageEvent(clientOf('c1='), body))).toEqual({ statusCode: 200 });
  });

  it.each([
    { body: '{', code: 'bad_frame' },
    { body: '', code: 'bad_frame' },
    { body: null, code: 'bad_frame' },
    { body: '{"type":"nope"}', code: 'unknown_type' },
    { body: '{"type":"$connect"}', code: 'unknown_type' },
    { body: '{"type":"demo-message-send","content":{}}', code: 'bad_content' },
  ])('such as $body is answered $code', async ({ body, code }) => {
    const { message } = await load([clientOf('c1=')]);
    const { statusCode, body: answer } = await message(messageEvent(clientOf('c1='), body));
    expect(statusCode).toBe(200);
    expect(JSON.parse(answer ?? '')).toMatchObject({ type: 'error', content: { code } });
  });

  it('whose event has nulls in it is taken', async () => {
    const { message } = await load([clientOf('c1=')]);
    const event = messageEvent(clientOf('c1='), 'ping');
    const answer = await message({ ...event, requestContext: { ...event.requestContext, ...nulls } });
    expect(answer).toEqual({ statusCode: 200, body: 'pong' });
  });

  it('that meets a fault is answered internal, with its id and no details', async () => {
    vi.stubEnv('SESSIONS_TABLE', 'missing');
    const { message } = await load();
    const body = '{"type":"demo-message-send","id":"1","content":{"text":"private"}}';
    const answer = await message(messageEvent(clientOf('c1='), body));
    expect(JSON.parse(answer.body ?? '')).toMatchObject({
      type: 'error',
      id: '1',
      content: { code: 'internal' },
    });
    expect(answer.body).not.toMatch(/ResourceNotFound|non-existent|missing/);
    expect(cloud.current().logged()).toContain('ResourceNotFoundException');
    expect(cloud.current().logged()).not.toContain('private');
  });
});

describe('a frame after the token has expired', () => {
  const expired = () => clientOf('c1=', { tokenExpiresAt: Date.now() - 1 });

  it('ends the connection: the reason, then the close, and nothing is dispatched', async () => {
    const { message } = await load([expired(), clientOf('c2=', { userId: '2' })]);
    const body = '{"type":"demo-message-send","id":"1","content":{"text":"hi","toUserId":2}}';
    expect(await message(messageEvent(expired(), body))).toEqual({ statusCode: 200 });
    expect(cloud.current().callbackApi.calls).toMatchObject([
      {
        method: 'POST',
        connectionId: 'c1=',
        body: { type: 'closing', content: { code: 'token_expired', retry: true } },
      },
      { method: 'DELETE', connectionId: 'c1=' },
    ]);
  });

  it('is answered internal if the connection cannot be closed, and the next frame tries again', async () => {
    const { message } = await load([expired()]);
    cloud.current().callbackApi.statuses.set('c1=', 403);
    const { statusCode, body } = await message(messageEvent(expired(), 'ping'));
    expect(statusCode).toBe(200);
    expect(JSON.parse(body ?? '')).toMatchObject({ type: 'error', content: { code: 'internal' } });

    cloud.current().callbackApi.statuses.clear();
    expect(await message(messageEvent(expired(), 'ping'))).toEqual({ statusCode: 200 });
    expect(cloud.current().callbackApi.calls.at(-1)).toEqual({ method: 'DELETE', connectionId: 'c1=' });
  });
});

async function load(clients: readonly Client[] = []) {
  const { handler: connect } = await import('../../lambdas/connect.ts');
  const { createHandler } = await import('../../lambdas/message.ts');
  // Loaded anew, as the function is: a Refusal is known by its class.
  const { default: listeners } = await import('../../examples/demo/listeners.ts');
  const message = createHandler({ 'listeners.ts': listeners });
  for (const client of clients) await connect(connectEvent(client));
  return { message };
}
