import { describe, expect, it } from 'vitest';
import { failure, openStage } from './harness/client-under-test.ts';

const channel = 'topic:orders.eu';

describe('a loop over a topic', () => {
  it('gets the contents, and unsubscribes when the loop is left', async () => {
    const { client, server, connection } = await openStage();
    const orders = client.subscribe('orders.eu');
    await orders.ready;
    for (const content of [1, 2, 3]) server.publish(channel, content);
    const heard: unknown[] = [];
    for await (const order of orders) {
      heard.push(order);
      if (heard.length === 2) break;
    }
    expect(heard).toEqual([1, 2]);
    await connection.next('unsubscribe');
  });

  it('ends after the buffered messages on unsubscribe and on close', async () => {
    const { client, server } = await openStage();
    const [left, closed] = [client.subscribe('orders.eu'), client.subscribe('orders.eu')];
    await left.ready;
    server.publish(channel, 1);
    await client.send('barrier');
    left.unsubscribe();
    await client.close();
    expect(await Promise.all([contentsOf(left), contentsOf(closed)])).toEqual([[1], [1]]);
  });

  it('ends with return before it starts, with a full buffer, and while it waits', async () => {
    const { client, server, connection } = await openStage();
    const early = client.subscribe('orders.eu')[Symbol.asyncIterator]();
    await expect(early.return?.()).resolves.toMatchObject({ done: true });
    await connection.next('unsubscribe');
    const full = client.subscribe('orders.eu');
    await full.ready;
    const buffered = full[Symbol.asyncIterator]();
    for (const content of [1, 2]) server.publish('topic:orders.eu', content);
    await client.send('barrier');
    await expect(buffered.next()).resolves.toMatchObject({ value: 1 });
    await buffered.return?.();
    await expect(buffered.next()).resolves.toMatchObject({ done: true });
    await connection.next('unsubscribe');
    const waiting = client.subscribe('orders.eu')[Symbol.asyncIterator]();
    const next = waiting.next();
    await expect(waiting.return?.()).resolves.toMatchObject({ done: true });
    await expect(next).resolves.toMatchObject({ done: true });
    await connection.next('unsubscribe');
  });

  it('of a closed client ends at once', async () => {
    const { client } = await openStage();
    await client.close();
    const subscription = client.subscribe('orders.eu');
    for await (const content of subscription) throw new Error(`There is ${String(content)}.`);
    expect((await failure(subscription.ready)).code).toBe('closed');
  });

  it('throws overflow if it falls further behind than its buffer holds', async () => {
    const { client, server, connection } = await openStage({ bufferLimit: 2 });
    const orders = client.subscribe('orders.eu');
    await orders.ready;
    for (const content of [1, 2, 3]) server.publish(channel, content);
    await connection.next('unsubscribe');
    expect((await failure(contentsOf(orders))).code).toBe('overflow');
  });

  it('throws the refusal of the topic, and the reason for the end of the session', async () => {
    const { client, server, connection } = await openStage();
    const waiting = failure(contentsOf(client.subscribe('orders.eu')));
    await connection.next('subscribe');
    server.script = (frame, self) => {
      self.refuse(frame, 'forbidden');
      return true;
    };
    expect((await failure(contentsOf(client.subscribe('secrets')))).code).toBe('forbidden');
    connection.send({ type: 'closing', content: { code: 'revoked', message: '', retry: false } });
    expect((await waiting).code).toBe('revoked');
  });
});

async function contentsOf(contents: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const content of contents) all.push(content);
  return all;
}
