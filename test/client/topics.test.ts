import { describe, expect, it, vi } from 'vitest';
import type { Frame } from '../../client/index.ts';
import { failure, openStage, stage } from './harness/client-under-test.ts';

const channel = 'topic:orders.eu';

describe('a topic with a handler', () => {
  it('delivers its messages with their frames', async () => {
    const { client, server, connection } = await openStage();
    const heard: unknown[] = [];
    const byType: unknown[] = [];
    client.on('order', (content) => byType.push(content));
    const unsubscribe = client.subscribe('orders.eu', (content, frame) =>
      heard.push([content, frame.offset]),
    );
    await unsubscribe.ready;
    expect((await connection.next('subscribe')).content).toEqual({
      topic: 'orders.eu',
      messagesIn: 'ack',
    });
    server.publish(channel, { sku: 1 }, 'order');
    connection.send({ type: 'order', content: { sku: 2 }, channel, messageId: 'not durable' });
    connection.send({ type: 'order', content: { sku: 3 }, channel: 'topic:orders.us' });
    await client.send('barrier');
    expect(heard).toEqual([
      [{ sku: 1 }, 1],
      [{ sku: 2 }, undefined],
    ]);
    expect(byType).toEqual([{ sku: 1 }, { sku: 2 }, { sku: 3 }]);
  });

  it('can be subscribed before the client is connected', async () => {
    const { client, server } = await stage();
    const { ready } = client.subscribe('orders.eu', () => undefined);
    const connection = await server.connections.next();
    await connection.next('subscribe');
    await ready;
  });

  it('is subscribed once for several readers, and unsubscribed after the last one', async () => {
    const { client, server, connection } = await openStage();
    const heard: string[] = [];
    const first = client.subscribe('orders.eu', () => heard.push('first'));
    const second = client.subscribe('orders.eu', () => heard.push('second'));
    await Promise.all([first.ready, second.ready]);
    first();
    server.publish(channel, 1);
    await client.send('barrier');
    second();
    second();
    expect((await connection.next('unsubscribe')).content).toEqual({ topic: 'orders.eu' });
    await client.send('barrier');
    expect(heard).toEqual(['second']);
    expect(connection.received.all.filter(({ type }) => type.endsWith('subscribe'))).toHaveLength(1);
  });

  it('sends its requests one at a time, because the server may finish a later one first', async () => {
    const { client, server, connection } = await openStage();
    server.script = ({ type }) => type === 'subscribe' || type === 'unsubscribe';
    const leave = client.subscribe('orders.eu', () => undefined);
    const subscribe = await connection.next('subscribe');
    leave();
    client.subscribe('orders.eu', () => undefined);
    await server.barrier();
    const sent = () => connection.received.all.filter(({ type }) => type.endsWith('subscribe'));
    expect(sent()).toEqual([]);
    connection.ack(subscribe, { topic: 'orders.eu', epoch: 'e', offset: 0, recovered: true });
    const unsubscribe = await connection.next('unsubscribe');
    expect(sent()).toEqual([]);
    connection.ack(unsubscribe, null);
    await connection.next('subscribe');
  });

  it('is restored from its position after a lost connection, without a gap', async () => {
    const { client, server, clock, become } = await openStage();
    const heard: unknown[] = [];
    await client.subscribe('orders.eu', (content) => heard.push(content)).ready;
    server.publish(channel, 1);
    await client.send('barrier');
    server.cut();
    await become('reconnecting');
    server.logs.pageSize = 1;
    server.logs.append(channel, 'note', 2);
    server.logs.append(channel, 'note', 3);
    clock.advance(500);
    const connection = await server.connections.next();
    const { content } = await connection.next('subscribe');
    expect(content).toMatchObject({ topic: 'orders.eu', epoch: `epoch-of-${channel}`, offset: 1 });
    await become('open');
    expect(heard).toEqual([1, 2, 3]);
  });

  it('holds early messages only until its first position is known', async () => {
    const { client, server, connection } = await openStage();
    const heard: unknown[] = [];
    server.script = (frame) => frame.type === 'subscribe';
    client.subscribe('orders.eu', (content) => heard.push(content));
    const subscribe = await connection.next('subscribe');
    server.publish(channel, 1);
    await client.send('barrier');
    expect(heard).toEqual([]);
    connection.ack(subscribe, server.logs.read('subscribe', subscribe.content).content);
    await client.send('barrier');
    expect(heard).toEqual([1]);
  });

  it('reports a refusal by error and by ready, and is not requested again', async () => {
    const { client, server, connection, errors, clock, become } = await openStage();
    server.script = (frame, self) => {
      if (frame.type !== 'subscribe') return false;
      self.refuse(frame, 'forbidden');
      return true;
    };
    const { ready } = client.subscribe('secrets', () => undefined);
    expect((await failure(ready)).code).toBe('forbidden');
    expect((await errors.next()).code).toBe('forbidden');
    await connection.next('subscribe');
    server.cut();
    await become('reconnecting');
    clock.advance(500);
    await become('open');
    const next = await server.connections.next();
    expect(next.received.all.map(({ type }) => type)).toEqual(['recover']);
  });

  it('is requested again after a temporary error', async () => {
    const { client, server, connection, errors, clock } = await openStage();
    let count = 0;
    server.script = (frame, self) => {
      if (frame.type !== 'subscribe' || ++count > 1) return false;
      self.refuse(frame, 'rate_limited');
      return true;
    };
    const { ready } = client.subscribe('orders.eu', () => undefined);
    expect((await errors.next()).code).toBe('rate_limited');
    await connection.next('subscribe');
    clock.advance(7500);
    await connection.next('subscribe');
    await ready;
  });

  it('is requested again at the time that the server names, without an error', async () => {
    const { client, server, connection, errors, clock } = await openStage();
    let count = 0;
    server.script = (frame, self) => {
      if (frame.type !== 'subscribe' || ++count > 2) return false;
      self.send({
        type: 'error',
        id: frame.id,
        content: { code: 'rate_limited', message: '', retryAfterMs: 1500 },
      });
      return true;
    };
    const { ready } = client.subscribe('orders.eu', () => undefined);
    const isReady = vi.fn();
    void ready.then(isReady);
    for (let refused = 0; refused < 2; refused += 1) {
      await connection.next('subscribe');
      await client.send('barrier');
      clock.advance(1499);
      await client.send('barrier');
      expect(isReady).not.toHaveBeenCalled();
      clock.advance(1);
    }
    await ready;
    expect(count).toBe(3);
    expect(errors.all).toEqual([]);
  });

  it('is unsubscribed before another is requested above half the limit of topics', async () => {
    const { client, server, connection } = await openStage();
    const names = Array.from({ length: 51 }, (_, index) => `full.${index}`);
    await Promise.all(names.map((name) => client.subscribe(name, () => undefined).ready));
    const leave = client.subscribe('orders.eu', () => undefined);
    await leave.ready;
    for (let count = 0; count < 52; count += 1) await connection.next('subscribe');
    let answer = () => {};
    server.script = (frame, self) => {
      if (frame.type !== 'unsubscribe') return false;
      answer = () => self.ack(frame, {});
      return true;
    };
    leave();
    const next = client.subscribe('orders.us', () => undefined);
    await connection.next('unsubscribe');
    await client.send('barrier');
    expect(connection.received.all.filter(({ type }) => type === 'subscribe')).toEqual([]);
    answer();
    await next.ready;
  });

  it('rejects ready as closed if it is left before the server accepts it', async () => {
    const { client } = await stage();
    const leave = client.subscribe('orders.eu', () => undefined);
    leave();
    expect((await failure(leave.ready)).code).toBe('closed');
  });

  it('calls a handler that another handler adds from the next message on', async () => {
    const { client, server } = await openStage();
    const counts = { again: 0, steady: 0 };
    let leave = client.subscribe('orders.eu', again);
    client.subscribe('orders.eu', () => (counts.steady += 1));
    function again() {
      counts.again += 1;
      if (counts.again > 100) throw new Error('Without end.');
      leave();
      leave = client.subscribe('orders.eu', again);
    }
    await leave.ready;
    server.publish('topic:orders.eu', 1);
    server.publish('topic:orders.eu', 2);
    await client.send('barrier');
    expect(counts).toEqual({ again: 2, steady: 2 });
  });

  it('does not call a handler that another handler has removed', async () => {
    const { client, server } = await openStage();
    const heard: unknown[] = [];
    client.subscribe('orders.eu', () => leave());
    const leave = client.subscribe('orders.eu', (content) => heard.push(content));
    await leave.ready;
    server.publish('topic:orders.eu', 1);
    await client.send('barrier');
    expect(heard).toEqual([]);
  });

  it('starts at a new position if it was left during a recover and is subscribed again', async () => {
    const { client, server, connection, clock } = await openStage({ heartbeatAfterMs: 60_000 });
    const heard: unknown[] = [];
    const leave = client.subscribe('orders.eu', () => undefined);
    await leave.ready;
    server.publish('topic:orders.eu', 'before');
    await client.send('barrier');
    await connection.next('recover');
    const held: (() => void)[] = [];
    server.script = (frame, self) => {
      if (frame.content === undefined || !['recover', 'subscribe'].includes(frame.type)) return false;
      held.push(() => self.ack(frame, server.logs.read(frame.type, frame.content).content));
      return true;
    };
    clock.advance(60_000);
    await connection.next('recover');
    leave();
    // Another topic is being subscribed. Only its messages wait.
    client.subscribe('orders.us', () => undefined);
    await connection.next('unsubscribe');
    held.forEach((answer) => answer());
    await client.send('barrier');
    server.script = () => false;
    server.logs.append('topic:orders.eu', 'note', 'while away');
    const again = client.subscribe('orders.eu', (content) => heard.push(content));
    await again.ready;
    await client.send('barrier');
    expect(heard).toEqual([]);
  });

  it('rejects ready as closed on a closed client', async () => {
    const { client } = await openStage();
    await client.close();
    expect((await failure(client.subscribe('orders.eu', () => undefined).ready)).code).toBe('closed');
  });
});

describe('a handler that throws', () => {
  it('does not stop the other handlers, and is reported as an uncaught error', async () => {
    const { client, connection } = await openStage();
    const thrown = new Error('a bug of the page');
    const reported = new Promise<unknown>((resolve) => {
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const listener of others) process.on('uncaughtException', listener);
        resolve(error);
      });
    });
    client.on('note', () => {
      throw thrown;
    });
    const heard = new Promise<Frame>((resolve) => client.on('note', (_, frame) => resolve(frame)));
    connection.send({ type: 'note', content: 1 });
    await expect(reported).resolves.toBe(thrown);
    await expect(heard).resolves.toMatchObject({ content: 1 });
  });
});
