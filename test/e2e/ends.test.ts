import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { changedAssembly, setVariable } from './changed-assembly.ts';
import { type Client, refusalStatus } from './client.ts';
import { signToken, type Stack, startStack } from './stack.ts';

const maxSessionsPerUser = 3;

let assembly: string;
let stack: Stack;
beforeAll(async () => {
  assembly = await changedAssembly((template) => {
    setVariable(template, 'MAX_SESSIONS_PER_USER', String(maxSessionsPerUser));
  });
  stack = await startStack({ assembly });
});
afterAll(async () => {
  await stack.close();
  await rm(assembly, { recursive: true, force: true });
});

const lasting = { ttlSeconds: 3 * 3600 };

async function sessionsOf(user: string): Promise<{ connectionId: string; connectedAt: number }[]> {
  const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
  return (body as { sessions: { connectionId: string; connectedAt: number }[] }).sessions;
}

function revoke(user: string) {
  return stack.call('DELETE', `/sessions?revokeTokens=true&userId=${user}&userType=member`);
}

/** Calls `POST /messages` with a ping of the token, and resolves to the status. */
async function postWith(token: string): Promise<number> {
  const response = await fetch(`${stack.url}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ type: 'ping', content: null, id: 'p' }),
  });
  await response.body?.cancel();
  return response.status;
}

/** Resolves to the content of `closing`, once the connection has closed as the server closes it. */
async function ending(client: Client): Promise<unknown> {
  const closed = client.closed();
  const frame = await client.next();
  expect(await closed).toEqual({ code: 1000, reason: 'Connection Closed Normally' });
  expect(frame['type']).toBe('closing');
  return frame['content'];
}

// A handshake on a busy machine takes seconds, and a token must outlive it.
describe('a token that expires', () => {
  it('ends an idle connection', async () => {
    const client = await stack.connect({ user: 'idle', ttlSeconds: 8 });
    expect(await ending(client)).toMatchObject({ code: 'token_expired', retry: true });
    expect(await sessionsOf('idle')).toEqual([]);
  });

  it('ends no session that was refreshed, until its new token expires', async () => {
    const token = (ttlSeconds: number) =>
      signToken({ user: 'fresh', type: 'member', tenant: 'default', topics: [], ttlSeconds });
    const client = await stack.connect({ user: 'fresh', ttlSeconds: 8 });
    const witness = await stack.connect({ user: 'witness', ttlSeconds: 9 });
    const refresh = { type: 'refresh', id: 'r', content: { token: await token(16) } };
    expect(await client.ask(refresh)).toMatchObject({ type: 'ack' });
    // The first token has expired by then.
    await ending(witness);
    await client.expectSilence();
    expect(await ending(client)).toMatchObject({ code: 'token_expired' });
  });
});

describe('revoked tokens', () => {
  it('are refused at $connect, refresh and POST /messages, and end the sessions of the user', async () => {
    const user = randomUUID();
    const claims = { user, type: 'member', tenant: 'default', topics: [], ttlSeconds: 3600 };
    const old = await signToken(claims);
    const clients = await Promise.all([stack.connect({ user }), stack.connect({ user })]);
    const other = await stack.connect({ user: 'other' });
    expect(await postWith(old)).toBe(200);
    const endings = clients.map(ending);
    expect(await revoke(user)).toEqual({ status: 200, body: { closed: 2 } });
    for (const content of await Promise.all(endings))
      expect(content).toMatchObject({ code: 'revoked', retry: false });

    expect(await refusalStatus(await stack.webSocketUrl({ user }))).toBe(403);
    expect(await postWith(old)).toBe(403);
    expect(await sessionsOf(user)).toEqual([]);
    await other.expectSilence();

    // A token of the next second is new, so its session opens, and takes no old token.
    let fresh = '';
    await expect.poll(async () => postWith((fresh = await signToken(claims))), { timeout: 15_000 }).toBe(200);
    const client = await stack.connect({ user });
    const refresh = (token: string) => client.ask({ type: 'refresh', id: 'r', content: { token } });
    expect(await refresh(old)).toMatchObject({ type: 'error', content: { code: 'forbidden' } });
    expect(await refresh(fresh)).toMatchObject({ type: 'ack' });
    expect(await stack.publish({ to: `user:member:${user}`, type: 'x', content: 1 })).toMatchObject({
      body: { delivered: 1 },
    });
  });

  it('are refused to a user who has no session', async () => {
    const user = randomUUID();
    const url = await stack.webSocketUrl({ user });
    expect(await revoke(user)).toEqual({ status: 200, body: { closed: 0 } });
    expect(await refusalStatus(url)).toBe(403);
  });

  it('leave no connection open in a race of handshakes against the revocation', async () => {
    // Each of the users may have the sessions of all their handshakes.
    const users = Array.from({ length: 20 }, () => randomUUID());
    const sockets: WebSocket[] = [];
    await Promise.all(
      users.map(async (user) => {
        const url = await stack.webSocketUrl({ user });
        const handshakes = Array.from({ length: maxSessionsPerUser }, () => settled(url, sockets));
        await handshakes[0];
        await Promise.all([revoke(user), ...handshakes, settled(url, sockets)]);
      }),
    );
    expect(sockets).toHaveLength(users.length * (maxSessionsPerUser + 1));
    await expect
      .poll(() => sockets.filter(({ readyState }) => readyState !== WebSocket.CLOSED).length, {
        timeout: 15_000,
      })
      .toBe(0);
    for (const user of users) expect(await sessionsOf(user)).toEqual([]);
  });
});

/** Makes a handshake, and resolves when it has ended in either way. */
function settled(url: string, sockets: WebSocket[]): Promise<void> {
  const socket = new WebSocket(url);
  sockets.push(socket);
  return new Promise((resolve) => {
    socket.on('open', () => resolve());
    // ws tells a refused handshake as an error.
    socket.on('error', () => resolve());
  });
}

describe('more sessions than a user may have', () => {
  it('end with the oldest, and the newest stays', async () => {
    const user = randomUUID();
    const clients: Client[] = [];
    for (let session = 0; session <= maxSessionsPerUser; session += 1)
      clients.push(await stack.connect({ user, ...lasting }));
    const [oldest] = clients;
    if (oldest) expect(await ending(oldest)).toMatchObject({ code: 'too_many_sessions', retry: false });
    expect(await sessionsOf(user)).toHaveLength(maxSessionsPerUser);
    await clients.at(-1)?.expectSilence();
  });

  it('that connect at the same time leave the maximum', async () => {
    const user = randomUUID();
    const clients = await Promise.all(Array.from({ length: 8 }, () => stack.connect({ user, ...lasting })));
    const open = () => clients.filter(({ socket }) => socket.readyState === WebSocket.OPEN);
    await expect.poll(() => open().length, { timeout: 15_000 }).toBe(maxSessionsPerUser);
    const sessions = await sessionsOf(user);
    expect(sessions).toHaveLength(maxSessionsPerUser);
    for (const client of open()) await client.expectSilence();
  });
});
