import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import * as z from 'zod/mini';
import { connect } from '../../client/index.ts';
import { sendSigned } from '../../publisher/signed-request.ts';
import { changedAssembly, setTokenParameter, setVariable } from './changed-assembly.ts';
import { Client, refusalStatus } from './client.ts';
import { signToken, type Stack, startStack } from './stack.ts';
import { addressWithTicket } from './stored-ticket.ts';

const origin = 'https://app.example.com';
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ allowOrigins: [origin, 'https://evil.example'] });
});
afterAll(() => stack.close());

const ticketAnswer = z.object({ ticket: z.string(), expiresIn: z.literal(30) });

const sessionList = z.object({ sessions: z.array(z.object({ tokenExpiresAt: z.number() })) });

const tokenOf = (user: string) =>
  signToken({ user, type: 'admin', tenant: 'acme', topics: ['orders.*'], ttlSeconds: 3600 });

async function post(path: string, token: string, headers: Record<string, string> = {}, body?: string) {
  const response = await fetch(`${stack.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body !== undefined && { body }),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

async function ticketOf(user: string, headers: Record<string, string> = {}): Promise<string> {
  const { body } = await post('/tickets', await tokenOf(user), headers);
  return ticketAnswer.parse(body).ticket;
}

const addressOf = (ticket: string) => `${stack.url.replace('http', 'ws')}/live?token=${ticket}`;

async function open(address: string, options: WebSocket.ClientOptions = {}): Promise<Client> {
  const client = await Client.open(address, options);
  onTestFinished(() => {
    client.socket.terminate();
  });
  return client;
}

/** The status of a handshake: 101 if it opens. */
function handshake(address: string): Promise<number | undefined> {
  const socket = new WebSocket(address);
  onTestFinished(() => {
    socket.terminate();
  });
  return new Promise((resolve) => {
    // ws reports a refusal also as an error.
    socket.on('error', () => undefined);
    socket.on('open', () => {
      resolve(101);
    });
    socket.on('unexpected-response', (request, { statusCode }) => {
      request.destroy();
      resolve(statusCode);
    });
  });
}

describe('a ticket', () => {
  it('opens one connection, with the identity, the topics and the expiry of the token', async () => {
    const token = await tokenOf('42');
    const { ticket } = ticketAnswer.parse((await post('/tickets', token)).body);
    const client = await open(addressOf(ticket));
    const publish = { to: 'user:admin:42', tenant: 'acme', type: 'n', content: 1 };
    expect(await stack.publish(publish)).toMatchObject({ body: { delivered: 1 } });
    expect(await client.next()).toMatchObject({ type: 'n' });
    const subscribe = (topic: string) => client.ask({ type: 'subscribe', id: 's', content: { topic } });
    expect(await subscribe('orders.eu')).toMatchObject({ type: 'ack' });
    expect(await subscribe('prices')).toMatchObject({ content: { code: 'forbidden' } });
    const [, payload = ''] = token.split('.');
    const { exp } = z.parse(
      z.object({ exp: z.number() }),
      JSON.parse(Buffer.from(payload, 'base64url').toString()),
    );
    expect(await stack.call('GET', '/sessions?tenant=acme&userId=42&userType=admin')).toMatchObject({
      body: { sessions: [{ userId: '42', tokenExpiresAt: exp * 1000 }] },
    });

    expect(await refusalStatus(addressOf(ticket))).toBe(403);
    const reason = 'the ticket is unknown, used, expired or of another origin';
    await expect.poll(() => stack.lines.join('\n'), { timeout: 15_000 }).toContain(reason);
    expect(stack.lines.join('\n')).not.toContain(ticket.slice('swt_'.length));
  });

  it('opens one of eight handshakes that use it at once', async () => {
    const address = addressOf(await ticketOf('many'));
    const statuses = await Promise.all(Array.from({ length: 8 }, () => handshake(address)));
    expect(statuses.toSorted()).toEqual([101, ...Array<number>(7).fill(403)]);
  });

  it('opens nothing after 30 seconds', async () => {
    const age = (seconds: number) => addressWithTicket(stack, {}, Date.now() - seconds * 1000);
    expect(await handshake(await age(5))).toBe(101);
    expect(await handshake(await age(30))).toBe(403);
  });

  it('opens a connection of the Origin that asked for it, and of no other', async () => {
    const ticket = await ticketOf('page', { origin });
    expect(await refusalStatus(addressOf(ticket), { origin: 'https://evil.example' })).toBe(403);
    expect(await refusalStatus(addressOf(ticket))).toBe(403);
    const client = await open(addressOf(ticket), { origin });
    await client.expectSilence();
    expect(await refusalStatus(addressOf(await ticketOf('program')), { origin })).toBe(403);
  });

  it('that nobody was given opens nothing', async () => {
    expect(await refusalStatus(addressOf('swt_'))).toBe(403);
    expect(await refusalStatus(addressOf(`swt_${'A'.repeat(43)}`))).toBe(403);
  });

  it('is neither a bearer token nor the token of a refresh', async () => {
    const ticket = await ticketOf('once');
    for (const path of ['/messages', '/tickets']) expect((await post(path, ticket)).status).toBe(403);
    const client = await open(addressOf(ticket));
    const token = await ticketOf('once');
    expect(await client.ask({ type: 'refresh', id: '1', content: { token } })).toMatchObject({
      content: { code: 'forbidden' },
    });
    expect(await handshake(addressOf(token))).toBe(101);
  });
});

describe('the client with a function that asks for tickets', () => {
  it('connects with another ticket each time', async () => {
    const tickets: string[] = [];
    const client = connect({
      url: `${stack.url.replace('http', 'ws')}/live`,
      async token() {
        const ticket = await ticketOf('client');
        tickets.push(ticket);
        return ticket;
      },
      WebSocket,
    });
    onTestFinished(() => client.close());
    expect(await client.send('inbox-unread', {})).toMatchObject({ unread: 0 });
    const path = '/sessions?tenant=acme&userId=client&userType=admin';
    const sessionId = async () =>
      z
        .object({ sessions: z.array(z.object({ connectionId: z.string() })) })
        .parse((await stack.call('GET', path)).body).sessions[0]?.connectionId ?? '';
    const first = await sessionId();
    const url = `${stack.url}/live/@connections/${encodeURIComponent(first)}`;
    await sendSigned({ method: 'DELETE', url: new URL(url) });
    const isAnother = async () => ![first, ''].includes(await sessionId());
    await expect.poll(isAnother, { timeout: 15_000 }).toBe(true);
    expect(await client.send('inbox-unread', {})).toMatchObject({ unread: 0 });
    expect(new Set(tickets).size).toBe(2);
  });
});

describe('POST /tickets', () => {
  it('takes no body but an empty object, and no query', async () => {
    const token = await tokenOf('asks');
    expect(await post('/tickets', token, {}, '{}')).toMatchObject({ status: 200 });
    for (const body of ['{"ttl":3600}', 'swordfish'])
      expect(await post('/tickets', token, {}, body)).toMatchObject({
        status: 400,
        body: { error: { code: 'bad_request' } },
      });
    expect(await post('/tickets?tenant=other', token)).toMatchObject({ status: 400 });
  });

  it('answers 401 without a token, and 403 with an invalid one', async () => {
    expect((await fetch(`${stack.url}/tickets`, { method: 'POST' })).status).toBe(401);
    expect((await post('/tickets', 'x')).status).toBe(403);
  });

  it('may be called by pages', async () => {
    const preflight = await fetch(`${stack.url}/tickets`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    const { headers } = await post('/tickets', await tokenOf('page'), { origin });
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('a stack with connectWith: ticket', () => {
  it('takes a token as bearer, and opens connections with tickets alone, under its tokenParameter', async () => {
    const assembly = await changedAssembly((template) => {
      setVariable(template, 'CONNECT_WITH', 'ticket');
      setTokenParameter(template, 'access');
    });
    const strict = await startStack({ assembly });
    onTestFinished(async () => {
      await strict.close();
      await rm(assembly, { recursive: true, force: true });
    });
    const withToken = await strict.webSocketUrl({ user: '1' });
    expect(await refusalStatus(withToken)).toBe(401);
    expect(await refusalStatus(withToken.replace('?token=', '?access='))).toBe(403);
    const reason = 'only a ticket opens a connection here';
    await expect.poll(() => strict.lines.join('\n'), { timeout: 15_000 }).toContain(reason);
    const headers = { authorization: `Bearer ${await tokenOf('1')}` };
    const response = await fetch(`${strict.url}/tickets`, { method: 'POST', headers });
    const { ticket } = ticketAnswer.parse(await response.json());
    await open(`${strict.url.replace('http', 'ws')}/live?access=${ticket}`);

    const client = connect({
      url: `${strict.url.replace('http', 'ws')}/live`,
      tokenParameter: 'access',
      ticketUrl: `${strict.url}/tickets`,
      httpUrl: strict.url,
      token: () => signToken({ user: 'c', type: 'member', tenant: 'default', topics: [], ttlSeconds: 12 }),
      WebSocket,
    });
    onTestFinished(() => client.close());
    expect(await client.send('inbox-unread', {})).toMatchObject({ unread: 0 });
    const large = { text: 'x'.repeat(33_000), toUserId: 'nobody' };
    expect(await client.send('demo-message-send', large)).toMatchObject({ delivered: 0 });
    const expiry = async () => {
      const { body } = await strict.call('GET', '/sessions?userType=member&userId=c');
      return z.parse(sessionList, body).sessions.map(({ tokenExpiresAt }) => tokenExpiresAt);
    };
    const [first = 0] = await expiry();
    // The session is extended at half the life of its token.
    await expect.poll(async () => (await expiry())[0], { timeout: 15_000 }).toBeGreaterThan(first);
    expect(client.status.state).toBe('open');
  });
});
