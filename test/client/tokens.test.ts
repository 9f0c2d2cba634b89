import { describe, expect, it } from 'vitest';
import { SwitchboardError } from '../../client/index.ts';
import { FakeClock } from './fake-clock.ts';
import { openStage, settle } from './client-under-test.ts';

/** A JWT of this many seconds of life by the fake clock; nobody here verifies the signature. */
function jwt(lifetimeSeconds: number, serial = 1): string {
  const exp = new FakeClock().now() / 1000 + lifetimeSeconds;
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part({ sub: '42', name: 'Zoë ÿþ', exp, serial })}.c2lnbmF0dXJl`;
}

describe('a session', () => {
  it('is lengthened in band a minute before its token expires, and again before the next one does', async () => {
    let count = 0;
    const tokens = [jwt(300, 1), jwt(600, 2), jwt(900, 3)];
    const { connection, clock, statuses } = await openStage({ token: () => tokens[count++] ?? '' });
    clock.advance(239_999);
    await settle();
    expect(connection.received.all.map(({ type }) => type)).toEqual(['recover']);
    clock.advance(1);
    expect((await connection.next('refresh')).content).toEqual({ token: tokens[1] });
    while (clock.delaysMs.filter((delayMs) => delayMs === 300_000).length === 0) await ping(connection);
    clock.advance(300_000);
    expect((await connection.next('refresh')).content).toEqual({ token: tokens[2] });
    expect(statuses.all).toEqual([]);
  });

  it.each([
    ['a string token', jwt(300)],
    ['a ticket', () => 'ticket'],
    ['what only looks like a JWT', () => 'a.b.c'],
  ])('is not lengthened with %s', async (_, token) => {
    const { client, connection, clock } = await openStage({ token });
    clock.advance(400_000);
    await client.send('barrier');
    expect(connection.received.all.map(({ type }) => type)).toEqual(['recover', 'barrier']);
  });

  it('is lengthened half way through a short life', async () => {
    const { connection, clock } = await openStage({ token: () => jwt(60) });
    clock.advance(30_000);
    await connection.next('refresh');
  });

  it('says that it could not be lengthened, and tries again', async () => {
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

  it('does not ask without end where its clock is so far ahead that every token seems over', async () => {
    const { client, connection, clock } = await openStage({ token: () => jwt(-3600) });
    clock.advance(4999);
    await client.send('barrier');
    expect(connection.received.all.map(({ type }) => type)).toEqual(['recover', 'barrier']);
    clock.advance(1);
    await connection.next('refresh');
  });
});

/** Lets the client handle what it was sent. */
async function ping(connection: {
  send: (frame: string) => void;
  socket: { ping: () => void };
}): Promise<void> {
  connection.socket.ping();
  await new Promise((resolve) => setImmediate(resolve));
}
