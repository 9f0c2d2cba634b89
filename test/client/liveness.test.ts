import { describe, expect, it } from 'vitest';
import type { Page } from '../../client/connection/page-events.ts';
import { openStage, stage } from './harness/client-under-test.ts';
import { FakeClock } from './harness/fake-clock.ts';

const minuteMs = 60_000;

describe('the heartbeat', () => {
  it('is sent after nine minutes of silence and not earlier', async () => {
    const { client, server, connection, clock } = await openStage();
    await connection.next('recover');
    clock.advance(5 * minuteMs);
    await client.send('anything');
    clock.advance(9 * minuteMs - 1);
    await server.barrier();
    expect(connection.received.all.map(({ type }) => type)).toEqual(['anything']);
    clock.advance(1);
    expect((await connection.next('recover')).id).toBeDefined();
  });

  it('is sent again after the next silence', async () => {
    const { server, connection, clock, statuses } = await openStage();
    await connection.next('recover');
    for (let round = 0; round < 3; round += 1) {
      clock.advance(9 * minuteMs);
      await connection.next('recover');
      await server.barrier();
    }
    expect(statuses.all).toEqual([]);
  });

  it('makes the client reconnect if no answer comes in ten seconds', async () => {
    const { server, connection, clock, become } = await openStage();
    await connection.next('recover');
    server.script = ({ type }) => type === 'recover';
    clock.advance(9 * minuteMs);
    await connection.next('recover');
    clock.advance(10_000);
    expect((await become('reconnecting')).reason.code).toBe('disconnected');
    server.script = () => false;
    clock.advance(500);
    await become('open');
  });
});

describe('the question of the heartbeat', () => {
  it('is what every channel missed, because nothing else reveals the loss of the last message', async () => {
    const { client, server, connection, clock } = await openStage();
    const notes: unknown[] = [];
    client.on('note', (content) => notes.push(content));
    await connection.next('recover');
    server.logs.append('user:member:42', 'note', 'lost on its way');
    clock.advance(9 * minuteMs);
    await connection.next('recover');
    while (notes.length === 0) await client.send('barrier');
    expect(notes).toEqual(['lost on its way']);
  });

  it('names no channel if the client reads none', async () => {
    const { connection, clock, statuses, client } = await openStage({ durable: false });
    clock.advance(9 * minuteMs);
    expect((await connection.next('recover')).content).toMatchObject({ channels: [] });
    await client.send('barrier');
    expect(statuses.all).toEqual([]);
  });
});

describe('a client on a machine that slept', () => {
  it('checks the connection at once', async () => {
    const { connection, clock } = await openStage();
    await connection.next('recover');
    clock.sleep(4 * minuteMs);
    await connection.next('recover');
  });

  it('does not mistake the delayed timers of a hidden page for a sleep', async () => {
    const { client, connection, clock } = await openStage();
    clock.sleep(2 * minuteMs);
    await client.send('barrier');
    expect(connection.received.all.map(({ type }) => type)).toEqual(['recover', 'barrier']);
  });
});

/** A window and a document whose events a test fires. */
function createPage() {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const page: Page = { window, document };
  return {
    page,
    document,
    fire: (type: string) => (isOfDocument(type) ? document : window).dispatchEvent(new Event(type)),
  };
}

function isOfDocument(type: string): boolean {
  return ['freeze', 'resume', 'visibilitychange'].includes(type);
}

describe('the client on a page', () => {
  it.each([
    ['offline', 'online'],
    ['freeze', 'resume'],
    ['pagehide', 'pageshow'],
  ])('closes on %s and does not connect until %s', async (rest, wake) => {
    const { page, fire } = createPage();
    const { client, server, connection, clock, become } = await openStage({ page });
    fire(rest);
    expect((await become('paused')).reason.code).toBe(rest);
    await expect(connection.closed).resolves.toBe(1000);
    clock.advance(minuteMs * 60);
    await server.barrier();
    expect(server.connections.all).toEqual([]);
    const queued = client.send('queued while paused');
    fire(wake);
    await server.connections.next();
    await become('open');
    await queued;
  });

  it('stays paused when an offline page is shown', async () => {
    const { page, fire } = createPage();
    const { client, become } = await openStage({ page });
    fire('offline');
    await become('paused');
    fire('visibilitychange');
    fire('pageshow');
    expect(client.status.state).toBe('paused');
    fire('online');
    await become('open');
  });

  it('stops an attempt under way when the page goes offline', async () => {
    const { page, fire } = createPage();
    const { server, become } = await stage({ page });
    fire('offline');
    await become('paused');
    fire('online');
    await become('open');
    expect(server.connections.all).toHaveLength(1);
  });

  it('connects at once when the page is shown, before the delay ends', async () => {
    const { page, fire } = createPage();
    const { server, become } = await openStage({ page });
    server.cut();
    await become('reconnecting');
    fire('visibilitychange');
    await become('open');
  });

  it('checks a connection that was silent for 30 s when the page is shown', async () => {
    const { page, document, fire } = createPage();
    const { client, connection, clock } = await openStage({ page });
    await connection.next('recover');
    clock.advance(29_000);
    fire('visibilitychange');
    document.visibilityState = 'hidden';
    clock.advance(1000);
    fire('visibilitychange');
    await client.send('barrier');
    expect(connection.received.all.map(({ type }) => type)).toEqual(['barrier']);
    document.visibilityState = 'visible';
    clock.advance(30_000);
    fire('visibilitychange');
    await connection.next('recover');
  });

  it('ignores the page once the client is closed', async () => {
    const { page, fire } = createPage();
    const { client, server, statuses } = await openStage({ page });
    await client.close();
    await statuses.next();
    fire('offline');
    fire('online');
    await server.barrier();
    expect([statuses.all, server.connections.all]).toEqual([[], []]);
  });
});

describe('a closed client', () => {
  it('leaves no timer behind, even if a recover was under way', async () => {
    const { client, server, connection, clock } = await openStage();
    server.script = ({ type }) => type === 'recover';
    server.logs.append('user:member:42', 'note', 'missed');
    server.publish('user:member:42', 'live');
    await client.send('barrier');
    await connection.next('recover');
    clock.advance(750);
    await connection.next('recover');
    await client.close();
    await server.barrier();
    expect(clock.delaysMs).toEqual([]);
  });

  it('leaves no timer behind that would keep a process alive', async () => {
    const exp = new FakeClock().now() / 1000 + 3600;
    const token = `h.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.s`;
    const { client, server, clock } = await openStage({ token: () => token });
    await client.send('barrier');
    expect(clock.delaysMs.length).toBeGreaterThan(2);
    await client.close();
    await server.barrier();
    expect(clock.delaysMs).toEqual([]);
  });
});
