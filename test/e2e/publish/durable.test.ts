import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

interface Page {
  readonly messages: readonly Record<string, unknown>[];
  readonly epoch: string;
  readonly head: number;
  readonly next?: number;
}

async function read(channel: string, query = ''): Promise<Page> {
  const { status, body } = await stack.call(
    'GET',
    `/channels/${encodeURIComponent(channel)}/messages${query}`,
  );
  expect(status).toBe(200);
  return body as Page;
}

function publish(to: string, content: unknown, differing: Record<string, unknown> = {}) {
  return stack.publish({ to, type: 'notice-push', content, durable: true, ...differing });
}

describe('a durable publish', () => {
  it('to an offline user is stored, read by a service, and recovered by the user', async () => {
    const to = 'user:member:offline';
    for (const content of [1, 2, 3]) {
      expect(await publish(to, content)).toMatchObject({
        status: 200,
        body: { delivered: 0, offset: content },
      });
    }
    const { messages, epoch, head, next } = await read(to);
    expect({ head, next }).toEqual({ head: 3, next: undefined });
    expect(messages).toMatchObject(
      [1, 2, 3].map((offset) => ({ channel: to, content: offset, offset, epoch })),
    );

    const client = await stack.connect({ user: 'offline' });
    client.send({ type: 'recover', id: 'r', content: { channels: [{ channel: to, epoch, offset: 1 }] } });
    expect(await client.next()).toEqual(messages[1]);
    expect(await client.next()).toEqual(messages[2]);
    expect(await client.next()).toEqual({
      type: 'ack',
      id: 'r',
      content: { channels: [{ channel: to, epoch, offset: 3, recovered: true }] },
    });
  });

  it('to an online user comes with its channel, offset and epoch', async () => {
    const client = await stack.connect({ user: 'online' });
    await publish('user:member:online', 'hi', { ttlSeconds: 60 });
    const { messages, epoch } = await read('user:member:online');
    expect(await client.next()).toEqual(messages[0]);
    expect(messages[0]).toMatchObject({ channel: 'user:member:online', offset: 1, epoch });
  });

  it('repeated with the same messageId stores one message', async () => {
    const messageId = randomUUID();
    const answers = [
      await publish('user:member:once', 1, { messageId }),
      await publish('user:member:once', 1, { messageId }),
    ];
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ body: { messageId, offset: 1 } });
    expect((await read('user:member:once')).messages).toHaveLength(1);
  });

  it('is refused by field if a log cannot store the message', async () => {
    for (const [differing, field] of [
      [{ to: 'session:abc=' }, 'durable'],
      [{ to: ['user:member:1', 'everyone'] }, 'durable'],
      [{ ttlSeconds: 0 }, 'ttlSeconds'],
      [{ durable: 'yes' }, 'durable'],
      [{ durable: false, ttlSeconds: 5 }, 'ttlSeconds'],
      [{ exclude: ['abc='] }, 'exclude'],
    ] as const) {
      const { status, body } = await publish('user:member:1', 1, differing);
      expect({ status, body }).toMatchObject({
        status: 400,
        body: { error: { code: 'bad_request', details: [{ field }] } },
      });
    }
  });
});

describe('GET /channels/{channel}/messages', () => {
  it('pages through the log of a topic with slashes', async () => {
    const topic = 'topic:orders/eu';
    for (const content of [1, 2, 3, 4, 5]) await publish(topic, content);
    const first = await read(topic, '?limit=2');
    expect(first.messages.map(({ content }) => content)).toEqual([1, 2]);
    expect(first).toMatchObject({ head: 5, next: 2 });
    const rest = await read(topic, `?after=${String(first.next)}&limit=1000`);
    expect(rest.messages.map(({ offset }) => offset)).toEqual([3, 4, 5]);
    expect(rest).not.toHaveProperty('next');
  });

  it('is empty for a channel without a log and for another tenant', async () => {
    await publish('everyone', 1);
    expect(await read('type:nobody')).toEqual({ messages: [], epoch: '', head: 0 });
    expect(await read('everyone', '?tenant=other')).toEqual({ messages: [], epoch: '', head: 0 });
  });

  it.each([
    ['session:abc', '', 'channel'],
    ['nobody', '', 'channel'],
    ['everyone', '?after=-1', 'after'],
    ['everyone', '?after=x', 'after'],
    ['everyone', '?limit=0', 'limit'],
    ['everyone', '?limit=1001', 'limit'],
    ['everyone', '?colour=red', 'colour'],
  ])('for %s%s is refused and names %s', async (channel, query, field) => {
    const { status, body } = await stack.call('GET', `/channels/${channel}/messages${query}`);
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', details: [{ field }] } },
    });
  });
});

describe('subscribe', () => {
  it('with a position sends the missed messages, then the new ones', async () => {
    const topic = 'news.today';
    for (const content of [1, 2]) await publish(`topic:${topic}`, content);
    const { epoch } = await read(`topic:${topic}`);
    const client = await stack.connect({ user: 'reader', topics: ['news.*'] });
    client.send({ type: 'subscribe', id: 's', content: { topic, epoch, offset: 1 } });
    expect(await client.next()).toMatchObject({ content: 2, offset: 2, channel: `topic:${topic}` });
    expect(await client.next()).toEqual({
      type: 'ack',
      id: 's',
      content: { topic, epoch, offset: 2, recovered: true },
    });
    await publish(`topic:${topic}`, 3);
    expect(await client.next()).toMatchObject({ content: 3, offset: 3 });
  });

  it('without a position answers with the head of the log', async () => {
    await publish('topic:news.late', 1);
    const { epoch } = await read('topic:news.late');
    const client = await stack.connect({ user: 'late', topics: ['news.*'] });
    const ack = await client.ask({ type: 'subscribe', id: 's', content: { topic: 'news.late' } });
    expect(ack['content']).toEqual({ topic: 'news.late', epoch, offset: 1, recovered: true });
  });
});

describe('recover', () => {
  it.each(['user:member:other', 'type:admin', 'topic:secret'])(
    'is refused for %s, to which the session has no right',
    async (channel) => {
      await publish(channel, 'secret');
      const client = await stack.connect({ user: 'curious', topics: ['news.*'] });
      const content = { channels: [{ channel, epoch: '', offset: 0 }] };
      expect(await client.ask({ type: 'recover', id: '1', content })).toMatchObject({
        type: 'error',
        content: { code: 'forbidden' },
      });
      await client.expectSilence();
    },
  );

  it('gives no messages of a channel of the same name in another tenant', async () => {
    await publish('user:member:twin', 'for the default tenant');
    const client = await stack.connect({ user: 'twin', tenant: 'other' });
    const ack = await client.ask({
      type: 'recover',
      id: '1',
      content: { channels: [{ channel: 'user', epoch: '' }] },
    });
    expect(ack['content']).toMatchObject({ channels: [{ epoch: '', offset: 0, recovered: true }] });
  });
});
