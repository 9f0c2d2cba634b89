import { describe, expect, it } from 'vitest';
import type { Client } from '../../client/index.ts';
import { failure, jwt, openStage } from './harness/client-under-test.ts';
import type { FakeConnection } from './harness/fake-server.ts';

const minuteMs = 60_000;
/** 1 h 50 min less the jitter. The fake clock's `random` is one half. */
const renewInMs = 110 * minuteMs - 2.5 * minuteMs;

/** Resolves when the client sends on that connection. */
async function barrierOn(client: Client, connection: FakeConnection): Promise<void> {
  const isThere = () => connection.received.all.some(({ type }) => type === 'barrier');
  while (!isThere()) await client.send('barrier');
}

/** The next connection is current. A request `slow` waits on the connection before, without an answer. */
async function renewedWithAnswerUnderWay() {
  const stage = await openStage({ heartbeatAfterMs: 1e9 });
  const { client, server, connection, clock } = stage;
  server.script = ({ type }) => type === 'slow';
  clock.advance(renewInMs - 1);
  const slow = failure(client.send('slow'));
  await connection.next('slow');
  clock.advance(1);
  const next = await server.connections.next();
  await next.next('recover');
  await barrierOn(client, next);
  return { ...stage, slow };
}

describe('make before break', () => {
  it('opens the next connection before the old one ends, and closes the old one with 1000', async () => {
    const { client, server, connection, clock, statuses } = await openStage({ heartbeatAfterMs: 1e9 });
    clock.advance(renewInMs - 1);
    await client.send('barrier');
    expect(server.connections.all).toEqual([]);
    clock.advance(1);
    const next = await server.connections.next();
    await next.next('recover');
    await barrierOn(client, next);
    await client.send('from now on here');
    await next.next('from now on here');
    clock.advance(10_000);
    await expect(connection.closed).resolves.toBe(1000);
    expect(statuses.all).toEqual([]);
  });

  it('delivers each message once while both connections are open', async () => {
    const { client, server, connection, clock } = await openStage({ heartbeatAfterMs: 1e9 });
    const heard: unknown[] = [];
    client.on('note', (content) => heard.push(content));
    client.on('live', (content) => heard.push(content));
    const subscription = client.subscribe('orders.eu', () => undefined);
    await subscription.ready;
    const held: (() => void)[] = [];
    server.script = (frame, self) => {
      if (frame.type !== 'recover' && frame.type !== 'subscribe') return false;
      held.push(() => {
        const { frames, content } = server.logs.read(frame.type, frame.content);
        self.send(...frames);
        self.ack(frame, content);
      });
      return true;
    };
    clock.advance(renewInMs);
    const next = await server.connections.next();
    await Promise.all([next.next('recover'), next.next('subscribe')]);
    // Both connections are open. The new one is not restored yet.
    server.publish('user:member:42', 1);
    server.publish('topic:orders.eu', 2);
    for (const each of [connection, next]) each.send({ type: 'live', content: 3, messageId: 'm3' });
    await client.send('barrier');
    expect((await connection.next('barrier')).id).toBeDefined();
    for (const answer of held) answer();
    await barrierOn(client, next);
    // This message was on its way to the old connection when the new one became current.
    connection.send({ type: 'live', content: 4, messageId: 'm4' });
    clock.advance(9_999);
    await client.send('barrier');
    await expect.poll(() => heard).toContain(4);
    clock.advance(1);
    await connection.closed;
    server.publish('user:member:42', 5);
    await client.send('barrier');
    expect(heard).toEqual([1, 2, 3, 4, 5]);
  });

  it('accepts answers on the old connection to requests under way', async () => {
    const { client, server, connection, clock } = await openStage({ heartbeatAfterMs: 1e9 });
    server.script = ({ type }) => type === 'slow';
    clock.advance(renewInMs - 1);
    const slow = client.send('slow');
    const frame = await connection.next('slow');
    clock.advance(1);
    const next = await server.connections.next();
    await next.next('recover');
    connection.ack(frame, 'at last');
    await expect(slow).resolves.toBe('at last');
  });

  it('ends with close(): requests reject, messages are ignored, and no timer remains', async () => {
    const { client, connection, clock, slow } = await renewedWithAnswerUnderWay();
    const heard: unknown[] = [];
    client.on('live', (content) => heard.push(content));
    const closing = client.close();
    connection.send({ type: 'live', content: 1, messageId: 'm1' });
    await closing;
    await connection.closed;
    expect((await slow).code).toBe('closed');
    expect(heard).toEqual([]);
    expect(clock.delaysMs).toEqual([]);
  });

  it('moves heartbeat and refresh to the new connection, even if the old one still answers', async () => {
    let serial = 0;
    const { client, server, connection, clock } = await openStage({
      token: () => jwt(240, (serial += 1)),
      heartbeatAfterMs: 119_000,
      // One second after the heartbeat and the refresh on the old connection.
      renewAfterMs: 120_999 * (22 / 21.5),
    });
    await connection.next('recover');
    server.script = ({ type }, self) => self === connection && type !== 'barrier';
    clock.advance(120_000);
    const asked = [await connection.next('recover'), await connection.next('refresh')];
    clock.advance(1000);
    const next = await server.connections.next();
    await next.next('recover');
    await barrierOn(client, next);
    for (const frame of asked) connection.ack(frame, {});
    await client.send('barrier');
    clock.advance(119_000);
    await next.next('recover');
    clock.advance(1000);
    await next.next('refresh');
  });

  it('keeps at most one replaced connection open', async () => {
    const { client, server, connection, clock } = await openStage({ renewAfterMs: 5000 * (22 / 21.5) });
    for (let count = 0; count < 2; count += 1) {
      clock.advance(5000);
      const next = await server.connections.next();
      await next.next('recover');
      await barrierOn(client, next);
    }
    await expect(connection.closed).resolves.toBe(1000);
  });

  it('rejects requests on the old connection after ten seconds', async () => {
    const { connection, clock, slow } = await renewedWithAnswerUnderWay();
    clock.advance(10_000);
    await connection.closed;
    expect((await slow).code).toBe('disconnected');
  });

  it('keeps the old connection if the new one fails, and retries until the old one ends', async () => {
    const { client, server, connection, clock, statuses, become } = await openStage({
      heartbeatAfterMs: 1e9,
    });
    server.refusal = 500;
    clock.advance(renewInMs);
    await client.send('on the old one');
    while (!clock.delaysMs.includes(250)) await client.send('barrier');
    clock.advance(250);
    while (!clock.delaysMs.includes(500)) await client.send('barrier');
    expect(statuses.all).toEqual([]);
    connection.socket.close(1001, 'Going away');
    await become('reconnecting');
    server.refusal = undefined;
    clock.advance(30_000);
    await become('open');
  });

  it('delivers a message per millisecond across ten renewals', async () => {
    const { client, server, connection, clock, statuses } = await openStage({ heartbeatAfterMs: 1e9 });
    const heard: unknown[] = [];
    client.on('note', (content) => heard.push(content));
    let count = 0;
    const ticking = setInterval(() => server.publish('user:member:42', (count += 1)), 1);
    let current = connection;
    for (let round = 0; round < 10; round += 1) {
      clock.advance(renewInMs);
      const next = await server.connections.next();
      await barrierOn(client, next);
      // API Gateway ends the old connection after two hours.
      current.socket.close(1001, 'Going away');
      current = next;
    }
    clearInterval(ticking);
    await client.send('barrier');
    expect(heard).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    expect(statuses.all).toEqual([]);
  });
});
