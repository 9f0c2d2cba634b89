import { expect } from 'vitest';
import { Client, refusalStatus } from '../client.ts';
import type { Stack } from '../stack.ts';
import { ask, tokenOf } from './use.ts';

/** The users of these steps are in a tenant of their own. */
const tenant = 'others';

function askForTicket(stack: Stack, token: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  return fetch(`${stack.url}/tickets`, { method: 'POST', headers });
}

/** Asks for a ticket with a token. */
export async function ticketOf(stack: Stack, token: string): Promise<string> {
  const response = await askForTicket(stack, token);
  const { ticket } = (await response.json()) as { ticket: string };
  return ticket;
}

/** The address of a handshake. */
export function addressOf(stack: Stack, token: string): string {
  return `${stack.url.replace('http', 'ws')}/live?token=${token}`;
}

/** A ticket opens one connection. */
export async function useTickets(stack: Stack): Promise<void> {
  const ticket = await ticketOf(stack, await tokenOf({ user: 'holder', tenant }));
  const client = await Client.open(addressOf(stack, ticket));
  expect(await refusalStatus(addressOf(stack, ticket))).toBe(403);
  await client.close();
  // A ticket counts for the rate of its user.
  const greedy = await tokenOf({ user: 'greedy', tenant });
  const statuses = new Set<number>();
  while (!statuses.has(429)) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => askForTicket(stack, greedy)));
    for (const { status } of answers) statuses.add(status);
  }
  expect(statuses).toEqual(new Set([200, 429]));
}

/** The handshakes of a user are counted in a row that all environments of the function share. */
export async function connectOften(stack: Stack): Promise<void> {
  const isCounted = () =>
    stack.cloud
      .grants()
      .some(
        ({ function: name, action, resource, calls }) =>
          name.includes('Connect') &&
          action === 'dynamodb:UpdateItem' &&
          resource.includes('State') &&
          calls > 0,
      );
  const address = addressOf(stack, await tokenOf({ user: 'often', tenant }));
  while (!isCounted()) {
    const client = await Client.open(address);
    await client.close();
  }
}

/** Ends sessions in every way that needs neither the client nor a service route that lists sessions. */
export async function endSessions(stack: Stack): Promise<void> {
  await Promise.all([
    revokeTokens(stack),
    exceedSessions(stack),
    outliveToken(stack),
    moveExpiry(stack),
    exceedRate(stack),
  ]);
}

/** Ends the sessions of a user, whose token opens no other one. */
async function revokeTokens(stack: Stack): Promise<void> {
  const token = await tokenOf({ user: 'revoked', tenant });
  const client = await Client.open(addressOf(stack, token));
  const closed = client.closed();
  const path = '/sessions?userType=member&userId=revoked&revokeTokens=true&tenant=others';
  expect(await stack.call('DELETE', path)).toEqual({ status: 200, body: { closed: 1 } });
  await closed;
  expect(await refusalStatus(addressOf(stack, token))).toBe(403);
  expect((await askForTicket(stack, token)).status).toBe(403);
}

/** The stack allows three sessions. The fourth ends the first, with its subscription. */
async function exceedSessions(stack: Stack): Promise<void> {
  const connect = () => stack.connect({ user: 'many', tenant, topics: ['*'] });
  const first = await connect();
  await ask(first, 'subscribe', { topic: 'news.eu' });
  const closed = first.closed();
  for (let session = 2; session <= 4; session += 1) await connect();
  await closed;
}

/** A frame after the token's `exp` ends the session. */
async function outliveToken(stack: Stack): Promise<void> {
  const client = await stack.connect({ user: 'short', tenant, ttlSeconds: 12 });
  const closed = client.closed();
  const frames = setInterval(() => client.send('ping'), 100);
  expect((await closed).code).toBe(1000);
  clearInterval(frames);
}

/** The check of a session that has a new token since is sent on, to be made when that one ends. */
async function moveExpiry(stack: Stack): Promise<void> {
  const client = await stack.connect({ user: 'idle', tenant, ttlSeconds: 12 });
  await ask(client, 'refresh', { token: await tokenOf({ user: 'idle', tenant }) });
}

/** The units of a flood are counted in a row that all environments of the function share. */
async function exceedRate(stack: Stack): Promise<void> {
  const client = await stack.connect({ user: 'flood', tenant });
  const atOnce = 100;
  let isRefused = false;
  while (!isRefused) {
    for (let ping = 0; ping < atOnce; ping += 1) client.send('ping');
    for (let ping = 0; ping < atOnce; ping += 1)
      isRefused = (await client.nextText()).includes('"rate_limited"') || isRefused;
  }
}
