import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { type Client, clientOf, connectEvent, httpEvent } from './events.ts';
import { useCloud } from './functions-under-test.ts';

const cloud = useCloud();
const notice = { to: 'user:member:1', type: 'notice-push', content: { title: 'hi' } };

describe('POST /publish', () => {
  it('posts the frame to the callback API and answers 200 with the counts', async () => {
    const { post } = await load([clientOf('c1='), clientOf('gone='), clientOf('broken=')]);
    cloud.current().callbackApi.statuses.set('gone=', 410).set('broken=', 403);
    const { status, body } = await post(JSON.stringify(notice));

    expect(status).toBe(200);
    const messageId = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
    expect(body).toEqual({ messageId, status: 'delivered', delivered: 1, gone: 1, failed: 1 });
    const posted = cloud.current().callbackApi.calls.find(({ connectionId }) => connectionId === 'c1=');
    const { type, content } = notice;
    expect(posted).toEqual({ method: 'POST', connectionId: 'c1=', body: { type, content, messageId } });
  });

  it('to nobody online is 200 with delivered 0', async () => {
    const { post } = await load();
    expect(await post(JSON.stringify(notice))).toMatchObject({ status: 200, body: { delivered: 0 } });
  });

  it('takes a body in base64, as API Gateway sends content that is not declared as text', async () => {
    const { post } = await load([clientOf('c1=')]);
    const body = Buffer.from(JSON.stringify({ ...notice, content: 'Grüße 🎉' })).toString('base64');
    expect(await post(body, true)).toMatchObject({ status: 200, body: { delivered: 1 } });
    expect(cloud.current().callbackApi.calls).toMatchObject([{ body: { content: 'Grüße 🎉' } }]);
  });

  it.each([
    { what: 'no body', body: undefined, error: { message: 'body: is not JSON' } },
    { what: 'no JSON', body: '{"to":', error: { message: 'body: is not JSON' } },
    { what: 'no object', body: '[]', error: { details: [{ field: 'body' }] } },
    {
      what: 'faults',
      body: '{"to":"nobody"}',
      error: { details: [{ field: 'type' }, { field: 'content' }] },
    },
    {
      what: 'a from',
      body: JSON.stringify({ ...notice, from: { userId: '0' } }),
      error: { details: [{ field: 'from', message: 'is not a known field' }] },
    },
  ])('with $what is 400 bad_request', async ({ body, error }) => {
    const { post } = await load();
    expect(await post(body)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', ...error } },
    });
  });

  it.each([
    { what: 'too large', body: { ...notice, content: 'e'.repeat(131_072) }, status: 413, code: 'too_large' },
  ])('$what is $status $code', async ({ body, status, code }) => {
    const { post } = await load();
    expect(await post(JSON.stringify(body))).toMatchObject({ status, body: { error: { code } } });
  });

  it.each([false, true])('above 512 KB is 413, whether or not it is JSON (base64: %j)', async (isBase64) => {
    const { post } = await load();
    const most = 512 * 1024;
    const encode = (text: string) => (isBase64 ? Buffer.from(text).toString('base64') : text);
    const error = {
      code: 'too_large',
      details: [{ field: 'body', message: `has ${most + 1} bytes; the limit is ${most}` }],
    };
    expect(await post(encode('['.repeat(most + 1)), isBase64)).toMatchObject({
      status: 413,
      body: { error },
    });
    expect(await post(encode('['.repeat(most)), isBase64)).toMatchObject({ status: 400 });
  });

  it('takes a frame of 128 KB whose every character is escaped', async () => {
    const { post } = await load([clientOf('c1=')]);
    const content = 'é'.repeat(65_000);
    const body = JSON.stringify({ ...notice, content }).replaceAll('é', '\\u00e9');
    expect(body.length).toBeGreaterThan(3 * 128_000);
    expect(await post(body)).toMatchObject({ status: 200, body: { delivered: 1 } });
  });

  it('with a query is 400, because it takes none', async () => {
    const { post } = await load([clientOf('c1=')]);
    expect(await post(JSON.stringify(notice), false, { tenant: 'other' })).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', details: [{ field: 'tenant' }] } },
    });
    expect(cloud.current().callbackApi.calls).toEqual([]);
  });

  it('with the same messageId returns the first answer, and with another body 409', async () => {
    const { post } = await load([clientOf('c1=')]);
    const messageId = randomUUID();
    const first = await post(JSON.stringify({ ...notice, messageId }));
    expect(await post(JSON.stringify({ messageId, ...notice }))).toEqual(first);
    const other = await post(JSON.stringify({ ...notice, messageId, content: 'other' }));
    expect(other).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict', details: [{ field: 'messageId' }] } },
    });
    expect(cloud.current().callbackApi.calls).toHaveLength(1);
  });

  it('to a topic that the setting makes durable is in the log of the topic', async () => {
    vi.stubEnv('DURABLE_TOPICS', 'orders.*,news');
    const { post } = await load();
    const publishTo = async (to: string) => (await post(JSON.stringify({ ...notice, to }))).body;
    expect(await publishTo('topic:orders.eu')).toMatchObject({ status: 'delivered', offset: 1 });
    expect(await publishTo('topic:news')).toMatchObject({ status: 'delivered', offset: 1 });
    for (const to of ['topic:chat', 'user:member:1']) {
      const answer = await publishTo(to);
      expect(answer).toMatchObject({ status: 'delivered' });
      expect(answer).not.toHaveProperty('offset');
    }
  });

  it('that meets a fault is 500 internal, and only the log has the details', async () => {
    vi.stubEnv('SESSIONS_TABLE', 'missing');
    const { post } = await load();
    const answer = await post(JSON.stringify({ ...notice, content: 'private' }));
    expect(answer).toEqual({
      status: 500,
      body: { error: { code: 'internal', message: 'The request failed on our side; try again.' } },
    });
    expect(cloud.current().logged()).toContain('ResourceNotFoundException');
    expect(cloud.current().logged()).not.toContain('private');
  });
});

describe('the same body by direct invoke', () => {
  it('is answered with the publish answer alone', async () => {
    const { invoke } = await load([clientOf('c1=')]);
    expect(await invoke(notice)).toMatchObject({ status: 'delivered', delivered: 1, gone: 0, failed: 0 });
  });

  it('is answered with the error alone', async () => {
    const { invoke } = await load();
    expect(await invoke({ ...notice, to: 'nobody' })).toMatchObject({
      error: { code: 'bad_request', details: [{ field: 'to' }] },
    });
  });

  it.each([null, 'text', []])('that is no object (%j) is a bad_request too', async (payload) => {
    const { invoke } = await load();
    expect(await invoke(payload)).toMatchObject({ error: { code: 'bad_request' } });
  });
});

async function load(clients: readonly Client[] = []) {
  const { handler: connect } = await import('../../lambdas/connect.ts');
  const { handler: publish } = await import('../../lambdas/publish.ts');
  for (const client of clients) await connect(connectEvent(client));
  return {
    invoke: publish,
    post: async (body: string | undefined, isBase64Encoded = false, query: Record<string, string> = {}) => {
      const event = httpEvent('POST /publish', {
        ...(body !== undefined && { body }),
        isBase64Encoded,
        query,
      });
      const answer = await publish(event);
      expect(answer).toHaveProperty('headers', { 'content-type': 'application/json' });
      const { statusCode, body: text } = answer as { statusCode: number; body: string };
      return { status: statusCode, body: JSON.parse(text) as unknown };
    },
  };
}
