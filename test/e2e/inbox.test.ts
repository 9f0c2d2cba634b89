import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type Client, connect } from '../../client/index.ts';
import { startStack, type Stack } from './stack.ts';

let stack: Stack;
const clients: Client[] = [];
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await stack.close();
});

/** Opens a client of the user. */
async function device(user: string): Promise<Client> {
  const address = new URL(await stack.webSocketUrl({ user }));
  const token = address.searchParams.get('token') ?? '';
  const client = connect({ url: `${address.origin}${address.pathname}`, token, WebSocket });
  clients.push(client);
  await new Promise<void>((resolve) => {
    client.on('status', ({ state }) => {
      if (state === 'open') resolve();
    });
  });
  return client;
}

async function publish(user: string, content: unknown): Promise<void> {
  const body = { to: `user:member:${user}`, type: 'notice-push', content, durable: true };
  expect(await stack.publish(body)).toMatchObject({ status: 200 });
}

async function setClock(clockSpeed: number): Promise<void> {
  const body = JSON.stringify({ clockSpeed });
  expect((await fetch(`${stack.url}/_local/faults`, { method: 'PUT', body })).status).toBe(200);
}

describe('the inbox of a user who was offline', () => {
  it('has all messages in order on both devices, which share the read offset', async () => {
    for (let content = 1; content <= 30; content += 1) await publish('away', content);
    const [phone, laptop] = [await device('away'), await device('away')];
    for (const each of [phone, laptop]) {
      expect(await each.inbox.unread()).toBe(30);
      const first = await each.inbox.list({ limit: 20 });
      const rest = await each.inbox.list({ after: first.next ?? 0 });
      const contents = [...first.messages, ...rest.messages].map(({ content }) => content);
      expect(contents).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    }

    const heard = new Promise((resolve) => laptop.inbox.on('read', resolve));
    await phone.inbox.markRead(25);
    expect(await heard).toEqual({ readOffset: 25 });
    expect(await laptop.inbox.unread()).toBe(5);
    expect(await laptop.inbox.list({ after: 25 })).toMatchObject({ head: 30, readOffset: 25 });
    await expect(phone.inbox.markRead(31)).rejects.toMatchObject({ code: 'bad_content' });
  });

  it('is the same after the connections of the user have ended', async () => {
    const before = await stack.connect({ user: 'returns' });
    const ended = before.closed();
    for (const content of [1, 2, 3]) await publish('returns', content);
    // At this clock speed, ten minutes of silence and two hours pass in a moment.
    await setClock(43_200);
    expect(await ended).toEqual({ code: 1001, reason: 'Going away' });
    await setClock(1);
    const [phone, laptop] = [await device('returns'), await device('returns')];
    for (const each of [phone, laptop]) {
      const { messages } = await each.inbox.list();
      expect(messages.map(({ content }) => content)).toEqual([1, 2, 3]);
    }
    const heard = new Promise((resolve) => laptop.inbox.on('read', resolve));
    await phone.inbox.markRead(3);
    expect(await heard).toEqual({ readOffset: 3 });
    expect([await phone.inbox.unread(), await laptop.inbox.unread()]).toEqual([0, 0]);
  });

  it('also keeps a message that came while the client was open', async () => {
    const phone = await device('here');
    const heard = new Promise((resolve) => phone.once('notice-push', resolve));
    await publish('here', 'now');
    expect(await heard).toBe('now');
    expect(await phone.inbox.unread()).toBe(1);
  });
});
