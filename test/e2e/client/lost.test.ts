import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import type { Client, Lost } from '../../../client/index.ts';
import type { Page } from '../../../client/connection/page-events.ts';
import { connectOn } from '../../client/harness/connect-on.ts';
import { signToken, type Stack, startStack } from '../stack.ts';
import { onTable } from '../tables.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** Opens a client on a page that a test takes offline and online. */
async function listen(user: string) {
  const window = new EventTarget();
  const page: Page = { window };
  const client: Client = connectOn({
    url: `${stack.url.replace('http', 'ws')}/live`,
    token: () => signToken({ user, type: 'member', tenant: 'default', topics: [], ttlSeconds: 3600 }),
    WebSocket,
    page,
  });
  const heard: unknown[] = [];
  const lost: Lost[] = [];
  const states: string[] = [];
  client.on('n', (content) => heard.push(content));
  client.on('lost', (event) => lost.push(event));
  client.on('status', ({ state }) => states.push(state));
  await expect.poll(() => states).toEqual(['open']);
  const become = async (event: string, state: string) => {
    window.dispatchEvent(new Event(event));
    await expect.poll(() => states.at(-1)).toBe(state);
  };
  const publish = (content: unknown, ttlSeconds = 3600) =>
    stack.publish({ to: `user:member:${user}`, type: 'n', content, durable: true, ttlSeconds });
  return { client, heard, lost, publish, become };
}

/** Deletes the head of a log, as an operator does after a restore (docs/operations.md). */
async function deleteHead(channel: string): Promise<void> {
  const Key = { pk: `CHANNEL#default#${channel}`, sk: 'HEAD' };
  await onTable(stack, 'State', (db, table) => db.send(new DeleteCommand({ TableName: table, Key })));
}

/** The contents of a channel's log now. */
async function contentsOf(channel: string): Promise<unknown[]> {
  const { body } = await stack.call('GET', `/channels/${channel}/messages`);
  return (body as { messages: { content: unknown }[] }).messages.map(({ content }) => content);
}

describe('a client with lost messages', () => {
  it('reports the range of expired messages, and goes on with the kept ones', async () => {
    const { client, heard, lost, publish, become } = await listen('expired');
    await publish('first');
    await expect.poll(() => heard).toEqual(['first']);
    await become('offline', 'paused');
    await publish('too short', 1);
    await publish('kept');
    await expect.poll(() => contentsOf('user:member:expired')).toEqual(['first', 'kept']);
    await become('online', 'open');
    await publish('next');
    await expect.poll(() => heard).toEqual(['first', 'kept', 'next']);
    expect(lost).toMatchObject([{ channel: 'user:member:expired', from: { offset: 1 }, to: { offset: 3 } }]);
    await client.close();
  });

  it('reports a new epoch after a reconnect, and follows it', async () => {
    const { client, heard, lost, publish, become } = await listen('anew');
    for (const content of [1, 2, 3]) await publish(content);
    await expect.poll(() => heard).toEqual([1, 2, 3]);
    await become('offline', 'paused');
    await deleteHead('user:member:anew');
    await publish('of the new log');
    await become('online', 'open');
    await publish('next');
    await expect.poll(() => heard).toEqual([1, 2, 3, 'next']);
    expect(lost).toMatchObject([{ channel: 'user:member:anew', from: { offset: 3 }, to: { offset: 1 } }]);
    expect(lost[0]?.from.epoch).not.toBe(lost[0]?.to.epoch);
    await client.close();
  });

  it('learns of a new epoch from its first message while connected', async () => {
    const { client, heard, lost, publish } = await listen('live');
    await publish(1);
    await expect.poll(() => heard).toEqual([1]);
    await deleteHead('user:member:live');
    await publish('of the new log');
    await expect.poll(() => lost.length).toBe(1);
    await publish('next');
    await expect.poll(() => heard.at(-1)).toBe('next');
    await client.close();
  });
});
