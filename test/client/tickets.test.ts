import { describe, expect, it } from 'vitest';
import { jwt, openStage, stage } from './harness/client-under-test.ts';
import type { FakeServer } from './harness/fake-server.ts';

/** Answers every POST with the next ticket. */
function giveTickets(server: FakeServer): void {
  let count = 0;
  Object.defineProperty(server, 'postAnswer', {
    get: () => ({ status: 200, body: JSON.stringify({ ticket: `swt_${(count += 1)}`, expiresIn: 30 }) }),
  });
}

/** A client whose tickets come from its own server. */
async function ticketStage(token: string | (() => string), prepare = giveTickets) {
  const options: { token: typeof token; ticketUrl?: string; httpUrl?: string } = { token };
  return stage(options, (server) => {
    Object.assign(options, { ticketUrl: `${server.httpUrl}/tickets`, httpUrl: server.httpUrl });
    prepare(server);
  });
}

describe('a client with ticketUrl', () => {
  it('opens each connection with a new ticket, and no URL has the token', async () => {
    const { server, clock, become } = await ticketStage('jwt');
    const first = await server.connections.next();
    expect(await server.posts.next()).toEqual({
      path: '/tickets',
      authorization: 'Bearer jwt',
      body: '{}',
    });
    await become('open');
    server.cut();
    await become('reconnecting');
    clock.advance(500);
    const second = await server.connections.next();
    expect([...first.query, ...second.query]).toEqual([
      ['token', 'swt_1'],
      ['token', 'swt_2'],
    ]);
  });

  it('extends its session with the token, as without tickets', async () => {
    let count = 0;
    const { server, clock, become } = await ticketStage(() => jwt(300, (count += 1)));
    const connection = await server.connections.next();
    await become('open');
    clock.advance(180_000);
    expect((await connection.next('refresh')).content).toEqual({ token: jwt(300, 2) });
  });

  it('sends large frames with the token', async () => {
    const { server, client, become } = await ticketStage('jwt');
    await become('open');
    await server.posts.next();
    Object.defineProperty(server, 'postAnswer', { value: undefined });
    await expect(client.send('note', 'x'.repeat(33_000))).resolves.toBe('by HTTP');
    expect(await server.posts.next()).toMatchObject({ path: '/messages', authorization: 'Bearer jwt' });
  });

  it.each([401, 403])('ends if its fixed token gets no ticket: %i', async (status) => {
    const { server, become } = await ticketStage('jwt', (server) => {
      server.postAnswer = { status, body: '{"message":"Forbidden"}' };
    });
    expect(await become('closed')).toMatchObject({ final: true, reason: { code: `http_${status}` } });
    expect(server.connections.all).toEqual([]);
  });

  it('asks again after any other answer, and if a function gives the token', async () => {
    const { server, clock, become } = await ticketStage(
      () => 'jwt',
      (server) => (server.postAnswer = { status: 403, body: '{"message":"Forbidden"}' }),
    );
    expect(await become('reconnecting')).toMatchObject({ reason: { code: 'http_403' } });
    const error = { code: 'rate_limited', message: 'later', retryAfterMs: 1000 };
    server.postAnswer = { status: 429, body: JSON.stringify({ error }) };
    clock.advance(500);
    expect(await become('reconnecting')).toMatchObject({ reason: { code: 'rate_limited' } });
    server.postAnswer = { status: 200, body: '{"ticket":"swt_3"}' };
    clock.advance(1000);
    expect((await server.connections.next()).query.get('token')).toBe('swt_3');
    await become('open');
  });

  it('opens nothing with a ticket that comes after close()', async () => {
    const { server, client } = await ticketStage('jwt', (server) => {
      server.postAnswer = 'none';
    });
    await server.posts.next();
    await client.close();
    await expect.poll(() => server.openPosts).toBe(0);
    await server.barrier();
    expect(server.connections.all).toEqual([]);
  });
});

describe('a client with tokenParameter', () => {
  it('gives its token under that name', async () => {
    const { connection } = await openStage({ token: 'jwt', tokenParameter: 'access_token' });
    expect([...connection.query]).toEqual([['access_token', 'jwt']]);
  });
});
