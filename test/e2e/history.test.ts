import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { signToken, startStack, type Stack } from './stack.ts';
import { onTable } from './tables.ts';

const topic = 'rooms.1';
const channel = `topic:${topic}`;
const topics = ['rooms.*'];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

async function say(content: unknown, ttlSeconds = 600): Promise<void> {
  const body = { to: channel, type: 'said', content, durable: true, ttlSeconds };
  expect(await stack.publish(body)).toMatchObject({ status: 200 });
}

/** An offset that a publisher took before it was killed. */
async function leaveHole(): Promise<void> {
  const update = {
    Key: { pk: `CHANNEL#default#${channel}`, sk: 'HEAD' },
    UpdateExpression: 'ADD #offset :one',
    ExpressionAttributeNames: { '#offset': 'offset' },
    ExpressionAttributeValues: { ':one': 1 },
  };
  await onTable(stack, 'State', (db, TableName) => db.send(new UpdateCommand({ TableName, ...update })));
}

interface Page {
  readonly messages: readonly { readonly content: unknown }[];
  readonly epoch: string;
  readonly head: number;
  readonly next?: number;
}

async function history(client: Client, content: object): Promise<Page> {
  const answer = await client.askWithinRate({ type: 'history', content: { channel, ...content }, id: 'h' });
  expect(answer).toMatchObject({ type: 'ack', id: 'h' });
  return answer['content'] as Page;
}

async function readAll(client: Client, direction: 'before' | 'after', start: number): Promise<unknown[]> {
  const contents: unknown[] = [];
  for (let next: number | undefined = start; next !== undefined;) {
    const page: Page = await history(client, { [direction]: next, limit: 4 });
    contents.push(...page.messages.map(({ content }) => content));
    next = page.next;
  }
  return contents;
}

describe('the history of a room', () => {
  it('shows who comes later what was said, and then what follows, without a gap', async () => {
    const [ada, ben] = [
      await stack.connect({ user: 'ada', topics }),
      await stack.connect({ user: 'ben', topics }),
    ];
    for (const client of [ada, ben]) await client.ask({ type: 'subscribe', content: { topic }, id: 's' });
    await say('gone', 1);
    for (const content of [1, 2, 3]) await say(content);
    await leaveHole();
    for (const content of [4, 5, 6]) await say(content);
    for (const client of [ada, ben]) for (let heard = 0; heard < 7; heard += 1) await client.next();

    const cyd = await stack.connect({ user: 'cyd', topics });
    // The first message expires meanwhile.
    await expect.poll(() => readAll(cyd, 'before', 1000), { timeout: 15_000 }).toEqual([6, 5, 4, 3, 2, 1]);
    expect(await readAll(cyd, 'after', 0)).toEqual([1, 2, 3, 4, 5, 6]);
    const { epoch, head, messages } = await history(cyd, { limit: 1 });
    expect({ head, messages }).toMatchObject({ head: 8, messages: [{ content: 6, offset: 8, channel }] });

    // Said between the page and the subscription.
    await say(7);
    cyd.send({ type: 'subscribe', content: { topic, epoch, offset: head }, id: 's' });
    expect([await cyd.next(), await cyd.next()]).toContainEqual(
      expect.objectContaining({ content: 7, offset: 9 }),
    );
    for (const client of [ada, ben]) expect(await client.next()).toMatchObject({ content: 7 });
  });

  it('is read over HTTP too, by users and by services', async () => {
    const token = await signToken({ user: 'dan', type: 'member', tenant: 'default', topics, ttlSeconds: 60 });
    const response = await fetch(`${stack.url}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ type: 'history', content: { channel, limit: 2 } }),
    });
    expect(await response.json()).toMatchObject({ type: 'ack', content: { messages: [{ content: 7 }, {}] } });
    const path = `/channels/${encodeURIComponent(channel)}/messages?before=9&limit=1`;
    expect(await stack.call('GET', path)).toMatchObject({
      status: 200,
      body: { messages: [{ content: 6 }], head: 9, next: 8 },
    });
  });

  it('is forbidden to who may not subscribe', async () => {
    const eve = await stack.connect({ user: 'eve', topics: ['other.*'] });
    expect(await eve.ask({ type: 'history', content: { channel }, id: '1' })).toMatchObject({
      type: 'error',
      content: { code: 'forbidden', requestType: 'history' },
    });
  });
});
