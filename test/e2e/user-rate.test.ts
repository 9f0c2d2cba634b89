import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import WebSocket from 'ws';
import { changedAssembly, setVariable } from './changed-assembly.ts';
import { signToken, type Stack, startStack } from './stack.ts';

/** One window has 16 seconds and 16 units. */
const rate = { rateLimit: 1, burstLimit: 16 };

let assembly: string;
let stack: Stack;
beforeAll(async () => {
  assembly = await changedAssembly((template) => {
    setVariable(template, 'USER_RATE', JSON.stringify(rate));
  });
  stack = await startStack({ assembly });
});
afterAll(async () => {
  await stack.close();
  await rm(assembly, { recursive: true, force: true });
});

async function ping(user: string): Promise<Response> {
  const token = await signToken({ user, type: 'member', tenant: 'default', topics: [], ttlSeconds: 60 });
  return fetch(`${stack.url}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ type: 'ping' }),
  });
}

it('POST /messages above the rate of its user is 429, and names the time to wait', async () => {
  // Two windows, and what the environments have not yet told each other, are less than a hundred.
  const answers = await Promise.all(Array.from({ length: 100 }, () => ping('fast')));
  const refused = answers.find(({ status }) => status === 429);
  const body = (await refused?.json()) as { error: { code: string; retryAfterMs: number } };
  expect(body.error).toMatchObject({ code: 'rate_limited' });
  expect(body.error.retryAfterMs).toBeGreaterThan(0);
  expect(body.error.retryAfterMs).toBeLessThanOrEqual(16_000);
  expect(refused?.headers.get('retry-after')).toBe(String(Math.ceil(body.error.retryAfterMs / 1000)));
  // Nobody else is slowed down.
  expect((await ping('other')).status).toBe(200);
});

it('a handshake above the rate of its user is 429', async () => {
  const address = await stack.webSocketUrl({ user: 'opens' });
  const statuses = new Set<number | undefined>();
  while (!statuses.has(429)) statuses.add(await statusOf(address));
  expect(statuses).toEqual(new Set([101, 429]));
});

/** The status of a handshake. A connection that opens is closed. */
function statusOf(address: string): Promise<number | undefined> {
  const socket = new WebSocket(address);
  return new Promise((resolve) => {
    // ws reports a refusal also as an error.
    socket.on('error', () => undefined);
    socket.on('open', () => {
      socket.close();
      resolve(101);
    });
    socket.on('unexpected-response', (request, { statusCode }) => {
      request.destroy();
      resolve(statusCode);
    });
  });
}
