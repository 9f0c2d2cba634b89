import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { connect } from '../../../client/index.ts';
import { SmartWebSocket } from '../../../examples/compatibility/smart-web-socket/smart-web-socket.ts';
import { Queue } from '../../queue.ts';
import type { Client } from '../client.ts';
import type { Stack } from '../stack.ts';
import { startSynthesised } from '../synthesised-stack.ts';

const listeners = path.join(
  import.meta.dirname,
  '../../../examples/compatibility/smart-web-socket/listeners.ts',
);

let stack: Stack;
beforeAll(async () => {
  stack = await startSynthesised({ listeners }, ({ switchboard: realtime }) => {
    new SmartWebSocket(realtime, 'Smart', { realtime });
  });
});
afterAll(() => stack.close());

/** A page that subscribes to CC. Its token says which form of content it takes, and what it may send. */
async function subscriber(user: string, claims: Record<string, unknown> = {}): Promise<Client> {
  const client = await stack.connect({ user, topics: ['CC'], claims });
  const answer = await client.ask({ type: 'subscribe', id: 's', content: { topic: 'CC' } });
  expect(answer).toMatchObject({ type: 'ack' });
  return client;
}

/** A user of our client, who subscribes to CC. */
async function ours(user: string) {
  const address = new URL(await stack.webSocketUrl({ user, topics: ['CC'] }));
  const client = connect({
    url: `${address.origin}${address.pathname}`,
    token: address.searchParams.get('token') ?? '',
    WebSocket,
    durable: false,
  });
  const received = new Queue<unknown>();
  const subscription = client.subscribe('CC', (content) => received.push(content));
  await subscription.ready;
  return { client, received };
}

describe('a message of a client to a topic', () => {
  it('reaches all subscribers, each in its form of content', async () => {
    const plain = await subscriber('plain');
    const text = await subscriber('text', { contentAs: 'text' });
    const { client, received } = await ours('ours');
    plain.send({ type: 'topic-publish', content: { topic: 'CC', message: { n: 1 } } });
    expect(await plain.next()).toMatchObject({
      type: 'topic-message',
      channel: 'topic:CC',
      content: { n: 1 },
    });
    expect(await text.next()).toMatchObject({ content: '{"n":1}' });
    expect(await received.next()).toEqual({ n: 1 });
    text.send({ type: 'topic-publish', content: '{"topic":"CC","message":{"n":2}}' });
    expect(await received.next()).toEqual({ n: 2 });
    expect(await plain.next()).toMatchObject({ content: { n: 2 } });
    expect(await client.send('topic-publish', { topic: 'CC', message: 'three' })).toMatchObject({
      delivered: 3,
    });
    expect(await received.next()).toBe('three');
    await client.close();
  });

  it('needs a right to the topic', async () => {
    const client = await subscriber('outsider');
    const content = { topic: 'DD', message: 1 };
    expect(await client.ask({ type: 'topic-publish', id: '1', content })).toMatchObject({
      type: 'error',
      content: { code: 'forbidden', message: 'content.topic: is not among the topics of the token' },
    });
  });

  it('needs a right to send, if the token has the claim send', async () => {
    const reader = await subscriber('reader', { send: [] });
    const frame = { type: 'topic-publish', id: '1', content: { topic: 'CC', message: 1 } };
    expect(await reader.ask(frame)).toMatchObject({ content: { code: 'forbidden' } });
    const writer = await subscriber('writer', { send: ['topic-*'] });
    writer.send(frame);
    const types = [(await writer.next()).type, (await writer.next()).type];
    expect(types.sort()).toEqual(['ack', 'topic-message']);
  });
});

describe('POST /sendSocket/CC', () => {
  it.each([
    ['a JSON body', { n: 1 }, { n: 1 }],
    ['a body that is no JSON', 'plain text', 'plain text'],
    ['no body', undefined, null],
  ])('sends %s to the subscribers of CC', async (_what, body, content) => {
    const client = await subscriber(`sent-${JSON.stringify(content).length}`);
    expect(await stack.call('POST', '/sendSocket/CC', body)).toMatchObject({
      status: 200,
      body: { status: 'delivered' },
    });
    expect(await client.next()).toMatchObject({ type: 'topic-message', channel: 'topic:CC', content });
  });

  it('says what is wrong with a topic', async () => {
    expect(await stack.call('POST', '/sendSocket/a%20b', {})).toMatchObject({ status: 400 });
  });

  it('needs a signature', async () => {
    expect((await fetch(`${stack.url}/sendSocket/CC`, { method: 'POST' })).status).toBe(403);
  });
});
