import { describe, expect, it } from 'vitest';
import { SwitchboardError } from '../../client/index.ts';
import type { Page } from '../../client/connection/page-events.ts';
import { failure, jwt, openStage } from './harness/client-under-test.ts';

describe('a session', () => {
  it('is extended two minutes before its token expires, and again before the next token expires', async () => {
    let count = 0;
    const tokens = [jwt(300, 1), jwt(600, 2), jwt(900, 3)];
    const { connection, server, clock, statuses } = await openStage({ token: () => tokens[count++] ?? '' });
    clock.advance(179_999);
    await server.barrier();
    expect(connection.received.all.map(({ type }) => type)).toEqual(['recover']);
    clock.advance(1);
    expect((await connection.next('refresh')).content).toEqual({ token: tokens[1] });
    while (clock.delaysMs.filter((delayMs) => delayMs === 300_000).length === 0) await server.barrier();
    clock.advance(300_000);
    expect((await connection.next('refresh')).content).toEqual({ token: tokens[2] });
    expect(statuses.all).toEqual([]);
  });

  it.each([
    ['a ticket', () => 'ticket'],
    ['a text that only looks like a JWT', () => 'a.b.c'],
  ])('is not extended with %s', async (_, token) => {
    const { connection, server, clock } = await openStage({ token });
    clock.advance(400_000);
    await server.barrier();
    expect(connection.received.all.map(({ type }) => type)).toEqual(['recover']);
  });

  it('with a string token sends a frame when the token expires, so that the server ends the session', async () => {
    const { connection, server, clock, become } = await openStage({ token: jwt(300) });
    clock.advance(299_999);
    await server.barrier();
    expect(connection.received.all.map(({ type }) => type)).toEqual(['recover']);
    server.script = ({ type }, self) => {
      if (type !== 'refresh') return false;
      self.send({ type: 'closing', content: { code: 'token_expired', message: '', retry: true } });
      return true;
    };
    clock.advance(1);
    expect(await become('closed')).toMatchObject({ final: true, reason: { code: 'token_expired' } });
  });

  it('with a string token asks at intervals if the server does not see the expiry yet', async () => {
    const { client, connection, server, clock } = await openStage({ token: jwt(300) });
    server.script = (frame, self) => {
      if (frame.type !== 'refresh') return false;
      self.ack(frame, {});
      return true;
    };
    for (let waitedMs = 0; waitedMs < 900_000; waitedMs += 5000) {
      clock.advance(5000);
      await client.send('barrier');
    }
    const asked = connection.received.all.filter(({ type }) => type === 'refresh').length;
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(8);
  });

  it('whose token function throws sends a ping once its token has expired', async () => {
    let count = 0;
    const { connection, server, clock, become } = await openStage({
      token() {
        if (++count > 1) throw Object.assign(new Error('signed out'), { code: 'forbidden' });
        return jwt(300);
      },
    });
    server.script = ({ type }, self) => {
      if (type !== 'ping') return false;
      self.send({ type: 'closing', content: { code: 'token_expired', message: '', retry: true } });
      return true;
    };
    for (let waitedMs = 0; waitedMs <= 310_000; waitedMs += 5000) {
      clock.advance(5000);
      await server.barrier();
    }
    await connection.next('ping');
    await become('reconnecting');
    clock.advance(500);
    expect(await become('closed')).toMatchObject({ final: true, reason: { code: 'forbidden' } });
  });

  it('is extended in time even if its clock is behind the time at which the token was issued', async () => {
    const { connection, server, clock } = await openStage({
      token: () => jwt(3660, 1, 60),
      heartbeatAfterMs: 1e9,
    });
    clock.advance(1_740_000);
    await server.barrier();
    expect(connection.received.all.map(({ type }) => type)).not.toContain('refresh');
    clock.advance(1_740_000);
    await connection.next('refresh');
  });

  it('calls the token function again if an earlier call never answers', async () => {
    let count = 0;
    const { connection, clock } = await openStage({
      token: () => ((count += 1) === 2 ? new Promise<string>(() => undefined) : jwt(300, count)),
    });
    clock.advance(180_000);
    expect(count).toBe(2);
    clock.advance(30_000);
    expect((await connection.next('refresh')).content).toEqual({ token: jwt(300, 3) });
  });

  it('whose token function never answers sends a ping once its token has expired', async () => {
    let count = 0;
    const { connection, clock } = await openStage({
      token: () => ((count += 1) === 1 ? jwt(300) : new Promise<string>(() => undefined)),
    });
    clock.advance(330_000);
    await connection.next('ping');
  });

  it('does not call the token function while the page is paused', async () => {
    let count = 0;
    const window = new EventTarget();
    const { server, clock, become } = await openStage({
      token: () => jwt(300, (count += 1)),
      page: { window } as unknown as Page,
    });
    window.dispatchEvent(new Event('offline'));
    await become('paused');
    for (let minutes = 0; minutes < 60; minutes += 1) {
      clock.advance(60_000);
      await server.barrier();
    }
    expect(count).toBe(1);
  });

  it('is extended at half the life of a short token', async () => {
    const { connection, clock } = await openStage({ token: () => jwt(60) });
    clock.advance(30_000);
    await connection.next('refresh');
  });

  it('reports a failed extension and retries', async () => {
    let count = 0;
    const { connection, clock, errors } = await openStage({
      token() {
        if (++count === 2) throw new SwitchboardError('internal', 'no network');
        return jwt(120, count);
      },
    });
    clock.advance(60_000);
    expect((await errors.next()).code).toBe('unauthorized');
    clock.advance(5000);
    expect((await connection.next('refresh')).content).toEqual({ token: jwt(120, 3) });
  });

  it('does not refresh in a loop if its clock is far ahead and every token seems expired', async () => {
    const { connection, server, clock } = await openStage({ token: () => jwt(-3600) });
    clock.advance(59_999);
    await server.barrier();
    expect(connection.received.all.map(({ type }) => type)).toEqual(['recover']);
    clock.advance(1);
    await connection.next('refresh');
  });

  it('with fewer topics ends their subscriptions as forbidden, and never asks for them again', async () => {
    let count = 0;
    const { client, connection, server, clock, errors, become } = await openStage({
      token: () => jwt(300, (count += 1)),
    });
    server.script = (frame, self) => {
      if (frame.type !== 'refresh') return false;
      self.ack(frame, { tokenExpiresAt: 0, unsubscribed: ['lost.loop', 'lost.handler', 'never.held'] });
      return true;
    };
    const kept = client.subscribe('kept', () => undefined);
    const handler = client.subscribe('lost.handler', () => undefined);
    const loop = client.subscribe('lost.loop');
    await Promise.all([kept.ready, handler.ready, loop.ready]);
    const reading = failure(loop[Symbol.asyncIterator]().next());
    clock.advance(180_000);
    await connection.next('refresh');
    expect(await reading).toMatchObject({ code: 'forbidden', message: 'lost.loop' });
    for (const topic of ['lost.loop', 'lost.handler'])
      expect(await errors.next()).toMatchObject({ code: 'forbidden', message: topic });
    handler();

    server.cut();
    await become('reconnecting');
    clock.advance(500);
    const again = await server.connections.next();
    await become('open');
    await client.send('barrier');
    const topics = again.received.all.filter(({ type }) => type === 'subscribe');
    expect(topics).toMatchObject([{ content: { topic: 'kept' } }]);
    expect(connection.received.all.map(({ type }) => type)).not.toContain('unsubscribe');
    expect(errors.all).toEqual([]);
  });
});
