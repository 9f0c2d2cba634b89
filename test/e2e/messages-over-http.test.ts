import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { connect } from '../../client/index.ts';
import { signToken, type Stack, startStack } from './stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ allowOrigins: ['https://app.example.com'] });
});
afterAll(() => stack.close());

function token(user: string, ttlSeconds = 3600, tenant = 'default'): Promise<string> {
  return signToken({ user, type: 'member', tenant, topics: [], ttlSeconds });
}

async function post(frame: unknown, authorization: string | undefined, headers: Record<string, string> = {}) {
  const response = await fetch(`${stack.url}/messages`, {
    method: 'POST',
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    body: typeof frame === 'string' ? frame : JSON.stringify(frame),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const bearer = async (user: string) => `Bearer ${await token(user)}`;

describe('POST /messages', () => {
  it('passes a frame that is too large for a connection to the same listener, and answers with the ack', async () => {
    const receiver = await stack.connect({ user: 'receiver' });
    const text = 'x'.repeat(60_000);
    const frame = { type: 'demo-message-send', id: '7', content: { text, toUserId: 'receiver' } };
    expect(await post(frame, await bearer('sender'))).toMatchObject({
      status: 200,
      body: { type: 'ack', id: '7', content: { status: 'delivered', delivered: 1 } },
    });
    expect(await receiver.next()).toMatchObject({
      type: 'demo-message-receive',
      content: { text },
      from: { tenant: 'default', userType: 'member', userId: 'sender' },
    });
  });

  it('above 256 KB is 413, and is not parsed', async () => {
    const most = 256 * 1024;
    const sender = await bearer('large');
    const tooLarge = { status: 413, body: { error: { code: 'too_large', details: [{ field: 'body' }] } } };
    expect(await post('['.repeat(most + 1), sender)).toMatchObject(tooLarge);
    expect(await post('['.repeat(most), sender)).toMatchObject({ status: 400 });
  });

  it('also answers a frame without an id', async () => {
    const frame = { type: 'demo-message-send', content: { text: 'hi', toUserId: 'nobody' } };
    const { status, body } = await post(frame, await bearer('sender'));
    expect({ status, body }).toMatchObject({ status: 200, body: { type: 'ack', content: { delivered: 0 } } });
    expect(body).not.toHaveProperty('id');
  });

  it.each([
    ['{', 400, 'bad_frame'],
    ['', 400, 'bad_frame'],
    ['ping', 400, 'bad_frame'],
    ['{"type":"nope"}', 400, 'unknown_type'],
    ['{"type":"demo-message-send","content":{}}', 400, 'bad_content'],
    ['{"type":"subscribe","content":{"topic":"news"}}', 400, 'bad_frame'],
    ['{"type":"unsubscribe","content":{"topic":"news"}}', 400, 'bad_frame'],
    ['{"type":"recover","content":{"channels":[]}}', 400, 'bad_frame'],
    ['{"type":"refresh","content":{"token":"x"}}', 400, 'bad_frame'],
  ])('answers %s with %i and the error', async (frame, status, code) => {
    expect(await post(frame, await bearer('sender'))).toMatchObject({
      status,
      body: { error: { code } },
    });
  });

  it('answers 413 for content above the limit of a message', async () => {
    const content = { text: 'x'.repeat(140_000), toUserId: 'receiver' };
    expect(await post({ type: 'demo-message-send', content }, await bearer('sender'))).toMatchObject({
      status: 413,
      body: { error: { code: 'too_large' } },
    });
  });

  it('names the refused field, and refuses a query', async () => {
    const frame = { type: 'demo-message-send', content: { text: 5 } };
    const authorization = await bearer('sender');
    expect((await post(frame, authorization)).body).toMatchObject({
      error: { code: 'bad_content', details: [{ field: 'content.text' }] },
    });
    const init = { method: 'POST', headers: { authorization }, body: '{"type":"ping"}' };
    const response = await fetch(`${stack.url}/messages?tenant=other`, init);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { details: [{ field: 'tenant' }] } });
  });

  it('gives access to the inbox of the user', async () => {
    await stack.publish({ to: 'user:member:reader', type: 'n', content: 1, durable: true });
    expect(await post({ type: 'inbox-unread' }, await bearer('reader'))).toMatchObject({
      body: { type: 'ack', content: { unread: 1 } },
    });
  });

  it('answers 401 without a bearer token, and 403 with an invalid one', async () => {
    expect((await post({ type: 'ping' }, undefined)).status).toBe(401);
    for (const wrong of [
      'Bearer x',
      'Bearer ',
      'Basic abc',
      await token('sender'),
      `Bearer ${await token('sender', -1)}`,
    ]) {
      expect((await post({ type: 'ping' }, wrong)).status).toBe(403);
    }
  });

  it('answers the preflight of browsers, so that pages may call it', async () => {
    const preflight = await fetch(`${stack.url}/messages`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    const { headers } = await post({ type: 'ping' }, await bearer('page'), {
      origin: 'https://app.example.com',
    });
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });

  it('takes frames above 32 KB from the client, whose send resolves as usual', async () => {
    const receiver = await stack.connect({ user: 'big-receiver' });
    const client = connect({
      url: `${stack.url.replace('http', 'ws')}/live`,
      httpUrl: stack.url,
      token: () => token('big-sender'),
      WebSocket,
    });
    const text = 'é'.repeat(30_000);
    expect(await client.send('demo-message-send', { text, toUserId: 'big-receiver' })).toMatchObject({
      delivered: 1,
    });
    expect(await receiver.next()).toMatchObject({ content: { text } });
    await expect(client.send('nope', { text })).rejects.toMatchObject({ code: 'unknown_type' });
    await client.close();
  });
});
