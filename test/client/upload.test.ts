import { beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type Client, connect } from '../../client/index.ts';
import type { Page } from '../../client/connection/page-events.ts';
import { failure, openStage, startServer } from './harness/client-under-test.ts';
import type { FakeServer } from './harness/fake-server.ts';

const large = 'é'.repeat(16 * 1024);

describe('a frame above 32 KB', () => {
  let server: FakeServer;
  let client: Client;
  beforeEach(async () => {
    server = await startServer();
    client = connect({ url: server.url, httpUrl: server.httpUrl, token: () => 'jwt', WebSocket });
    return () => client.close();
  });

  it('goes by HTTP, and send resolves as usual', async () => {
    await expect(client.send('note', large)).resolves.toBe('by HTTP');
    const { authorization, body } = await server.posts.next();
    expect(authorization).toBe('Bearer jwt');
    expect(JSON.parse(body)).toMatchObject({ type: 'note', content: large });
  });

  it.each([
    [400, { error: { code: 'bad_content', message: 'text: is too long' } }, 'bad_content'],
    [500, { error: { code: 'internal', message: 'try again' } }, 'internal'],
    // API Gateway's own answers: invalid token, wrong address, above 10 MB, killed function.
    [403, { message: 'Forbidden' }, 'http_403'],
    [404, { message: 'Not Found' }, 'http_404'],
    [413, { message: 'Request Entity Too Large' }, 'http_413'],
    [500, { message: 'Internal Server Error' }, 'http_500'],
  ])('is rejected with the code of the answer: %i', async (status, body, code) => {
    server.postAnswer = { status, body: JSON.stringify(body) };
    expect((await failure(client.send('note', large))).code).toBe(code);
  });

  it('is rejected as closed if the client is closed before the answer', async () => {
    server.postAnswer = 'none';
    const sending = failure(client.send('note', large));
    await server.posts.next();
    await client.close();
    expect((await sending).code).toBe('closed');
    await expect.poll(() => server.openPosts).toBe(0);
  });

  it('does not wake a paused page if no answer comes', async () => {
    const window = new EventTarget();
    const stopped = await openStage({
      httpUrl: server.httpUrl,
      token: () => 'jwt',
      page: { window } as unknown as Page,
    });
    server.postAnswer = 'none';
    const sending = failure(stopped.client.send('note', large));
    await server.posts.next();
    window.dispatchEvent(new Event('offline'));
    await stopped.become('paused');
    stopped.clock.advance(30_000);
    expect((await sending).code).toBe('timeout');
    await stopped.server.barrier();
    expect(stopped.client.status.state).toBe('paused');
  });

  it('is rejected as disconnected if HTTP fails', async () => {
    const lost = connect({ url: server.url, httpUrl: 'http://127.0.0.1:1', token: 'jwt', WebSocket });
    expect((await failure(lost.send('note', large))).code).toBe('disconnected');
    await lost.close();
  });

  it('is rejected with the code of the token function', async () => {
    let count = 0;
    const forbidden = Object.assign(new Error('signed out'), { code: 'forbidden' });
    const token = () => (++count === 1 ? Promise.resolve('jwt') : Promise.reject(forbidden));
    const refused = connect({ url: server.url, httpUrl: server.httpUrl, token, WebSocket });
    expect((await failure(refused.send('note', large))).code).toBe('forbidden');
    await refused.close();
  });
});

describe('a large frame without an httpUrl', () => {
  it('is rejected as too_large', async () => {
    const opened = await openStage();
    const error = await failure(opened.client.send('note', large));
    expect(error).toMatchObject({ code: 'too_large' });
  });

  it('is measured in bytes of UTF-8, the whole frame included', async () => {
    const { client, connection } = await openStage();
    await client.send('note', 'x');
    const frame = await connection.next('note');
    const room = 32 * 1024 - Buffer.byteLength(JSON.stringify(frame));
    await expect(client.send('note', `x${'y'.repeat(room)}`)).resolves.toBeDefined();
    expect((await failure(client.send('note', `x${'y'.repeat(room - 1)}é`))).code).toBe('too_large');
  });
});
