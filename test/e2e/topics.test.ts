import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { startStack, type Stack } from './stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

async function subscribe(client: Client, topic: string): Promise<void> {
  const frame = { type: 'subscribe', content: { topic }, id: topic.slice(0, 64) };
  expect(await client.askWithinRate(frame)).toEqual({
    type: 'ack',
    id: topic.slice(0, 64),
    content: { topic, epoch: '', offset: 0, recovered: true },
  });
}

describe('a topic', () => {
  it('reaches its subscribers until they unsubscribe', async () => {
    const [ada, ben] = [
      await stack.connect({ user: 'ada', topics: ['orders.*'] }),
      await stack.connect({ user: 'ben', topics: ['orders.*'] }),
    ];
    await subscribe(ada, 'orders.eu');
    await subscribe(ben, 'orders.eu');
    const publish = { to: 'topic:orders.eu', type: 'order', content: { id: 1 } };
    expect(await stack.publish(publish)).toMatchObject({
      status: 200,
      body: { delivered: 2, gone: 0, failed: 0 },
    });
    expect(await ada.next()).toMatchObject({ type: 'order', content: { id: 1 } });
    expect(await ben.next()).toMatchObject({ type: 'order', content: { id: 1 } });

    const { body } = await stack.call('GET', '/sessions?userType=member&userId=ada');
    expect(body).toMatchObject({ sessions: [{ topics: ['orders.eu'] }] });

    expect(await ada.ask({ type: 'unsubscribe', content: { topic: 'orders.eu' }, id: 'u' })).toMatchObject({
      type: 'ack',
      content: { topic: 'orders.eu' },
    });
    expect(await stack.publish(publish)).toMatchObject({ body: { delivered: 1 } });
    await ben.next();
    await ada.expectSilence();
  });

  it('is refused if no pattern of the token allows it', async () => {
    const none = await stack.connect({ user: 'none' });
    const some = await stack.connect({ user: 'some', topics: ['orders.*', 'chat/*/public'] });
    const refused = (topic: string) => ({
      type: 'error',
      id: '1',
      content: {
        code: 'forbidden',
        message: expect.stringContaining(topic) as string,
        requestType: 'subscribe',
      },
    });
    const ask = (client: Client, topic: string) =>
      client.ask({ type: 'subscribe', content: { topic }, id: '1' });
    expect(await ask(none, 'orders.eu')).toEqual(refused('orders.eu'));
    expect(await ask(some, 'order')).toEqual(refused('order'));
    expect(await ask(some, 'chat/1/private')).toEqual(refused('chat/1/private'));
    expect(await ask(some, 'chat/1/public')).toMatchObject({ type: 'ack' });
    expect(await ask(some, 'a b')).toMatchObject({ type: 'error', content: { code: 'bad_content' } });
  });

  it('is refused after 100 topics with an error that names the limit', async () => {
    const client = await stack.connect({ user: 'many', topics: ['*'] });
    for (let topic = 1; topic <= 100; topic += 1) await subscribe(client, `t${String(topic)}`);
    expect(await client.ask({ type: 'subscribe', content: { topic: 't101' }, id: '1' })).toMatchObject({
      type: 'error',
      content: { code: 'forbidden', message: expect.stringContaining('100 topics') as string },
    });
    // A repeated subscription does not count again.
    await subscribe(client, 't1');
    await client.ask({ type: 'unsubscribe', content: { topic: 't1' }, id: '2' });
    await subscribe(client, 't101');
  });

  it('is separate in each tenant, even under the same name', async () => {
    const ours = await stack.connect({ user: 'same', tenant: 'acme', topics: ['*'] });
    const theirs = await stack.connect({ user: 'same', tenant: 'globex', topics: ['*'] });
    await subscribe(ours, 'news');
    await subscribe(theirs, 'news');
    expect(await stack.publish({ to: 'topic:news', tenant: 'acme', type: 'x', content: 1 })).toMatchObject({
      body: { delivered: 1 },
    });
    expect(await ours.next()).toMatchObject({ type: 'x' });
    await theirs.expectSilence();
  });

  it('forgets a disconnected session', async () => {
    const client = await stack.connect({ user: 'leaves', topics: ['*'] });
    await subscribe(client, 'left');
    await client.close();
    await expect
      .poll(() => stack.publish({ to: 'topic:left', type: 'x', content: 1 }))
      .toMatchObject({ body: { delivered: 0, gone: 0, failed: 0 } });
  });

  it('that overlaps with other targets reaches a session once', async () => {
    const client = await stack.connect({ user: 'both', type: 'reader', topics: ['*'] });
    await subscribe(client, 'twice');
    const to = ['topic:twice', 'user:reader:both', 'type:reader'];
    expect(await stack.publish({ to, type: 'x', content: 1 })).toMatchObject({ body: { delivered: 1 } });
    await client.next();
    await client.expectSilence();
  });
});
