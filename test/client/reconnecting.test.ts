import { describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { connect, type Options, SwitchboardError } from '../../client/index.ts';
import { failure, openStage, stage, startServer } from './harness/client-under-test.ts';

describe('the client', () => {
  it('is connecting at first, and open once the session is restored', async () => {
    const { client, become } = await stage();
    expect(client.status).toEqual({ state: 'connecting' });
    await become('open');
    expect(client.status).toEqual({ state: 'open' });
  });

  it('is closed, not final, after close(), which closes the socket with 1000', async () => {
    const { client, connection } = await openStage();
    await client.close();
    await expect(connection.closed).resolves.toBe(1000);
    expect(client.status).toMatchObject({ state: 'closed', final: false, reason: { code: 'closed' } });
  });

  it('can be closed while it connects, and then does not connect', async () => {
    const { client, server, clock } = await stage();
    await client.close();
    clock.advance(3_600_000);
    await server.barrier();
    expect(server.connections.all).toEqual([]);
  });

  it('is closed at once, and final, if the WebSocket class throws', async () => {
    const { become } = await stage({ url: 'ftp://127.0.0.1' });
    await expect(become('closed')).resolves.toMatchObject({ final: true, reason: { code: 'refused' } });
  });

  it.each(['no address at all', 'ws://exa mple/live', undefined])(
    'throws at once for an invalid address: %s',
    (url) => {
      const options = { url: url as string, token: 'secret', WebSocket };
      expect(() => connect(options)).toThrow(TypeError);
    },
  );

  it('reports no error after close(), even for requests under way', async () => {
    const { client, server, errors } = await stage({}, (prepared) => {
      prepared.script = () => true;
    });
    const connection = await server.connections.next();
    await connection.next('recover');
    await client.close();
    await server.barrier();
    expect(errors.all).toEqual([]);
  });

  it('keeps the query of its address and adds the token', async () => {
    const server = await startServer();
    const client = connect({ url: `${server.url}?stack=a%26b`, token: 'a+b', WebSocket });
    expect((await server.connections.next()).query.get('token')).toBe('a+b');
    await client.close();
  });

  it('uses the default of an option that is undefined', async () => {
    const { client, clock } = await openStage({
      renewAfterMs: undefined,
      durable: undefined,
      answerTimeoutMs: undefined,
      queueMaxAgeMs: undefined,
    } as unknown as Options);
    await client.send('hello');
    expect(Math.max(...clock.delaysMs)).toBeGreaterThan(100 * 60_000);
  });
});

describe('a lost connection', () => {
  it('is replaced after a random delay, whose maximum doubles up to 30 s', async () => {
    const { server, clock, become } = await openStage();
    clock.chance = 1;
    server.refusal = 500;
    server.cut();
    for (const ceilingMs of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      expect((await become('reconnecting')).retryInMs).toBe(ceilingMs);
      clock.advance(ceilingMs);
    }
  });

  it('is replaced after a short delay again if it has been stable', async () => {
    const { server, clock, become } = await openStage();
    server.cut();
    await become('reconnecting');
    clock.advance(250);
    await become('open');
    server.cut();
    expect((await become('reconnecting')).retryInMs).toBe(500);
    clock.advance(500);
    await become('open');
    clock.advance(5000);
    server.cut();
    expect((await become('reconnecting')).retryInMs).toBe(250);
  });

  it('is replaced after a short delay each time if connections last only seconds', async () => {
    const { server, clock, become } = await openStage();
    for (let count = 0; count < 8; count += 1) {
      clock.advance(8000);
      server.cut();
      expect((await become('reconnecting')).retryInMs).toBe(250);
      clock.advance(250);
      await become('open');
    }
  });

  it('is followed by another attempt if the handshake takes too long', async () => {
    const { server, clock, become } = await stage({ token: () => new Promise<string>(() => undefined) });
    clock.advance(30_000);
    expect((await become('reconnecting')).reason.code).toBe('disconnected');
    expect(server.connections.all).toEqual([]);
  });
});

describe('a refused handshake', () => {
  const refuse = (status: number, options: Partial<Options> = {}) =>
    stage(options, (server) => {
      server.refusal = status;
    });

  it.each([401, 403])('with %i is final for a string token if the status is visible', async (status) => {
    const { become } = await refuse(status);
    await expect(become('closed')).resolves.toMatchObject({ final: true, reason: { code: 'forbidden' } });
  });

  it('with 500 is retried', async () => {
    const { become } = await refuse(500);
    expect((await become('reconnecting')).reason.code).toBe('refused');
  });

  it('is retried with a fresh token each time', async () => {
    let count = 0;
    const { server, clock, become } = await refuse(403, { token: () => `token-${++count}` });
    for (const retryInMs of [250, 500, 1000]) {
      await expect(become('reconnecting')).resolves.toMatchObject({ retryInMs });
      clock.advance(retryInMs);
    }
    await become('reconnecting');
    server.refusal = undefined;
    clock.advance(2000);
    expect((await server.connections.next()).query.get('token')).toBe('token-5');
  });
});

describe('a token function that throws', () => {
  it('is called again later', async () => {
    let count = 0;
    const { server, clock, become } = await stage({
      token: () => {
        count += 1;
        return count === 1 ? Promise.reject(new Error('502')) : Promise.resolve('second');
      },
    });
    const { reason } = await become('reconnecting');
    expect(reason).toMatchObject({ code: 'unauthorized', message: 'No token: Error: 502' });
    clock.advance(250);
    expect((await server.connections.next()).query.get('token')).toBe('second');
  });

  it('with the code forbidden is final', async () => {
    const { become } = await stage({
      token: () => Promise.reject(new SwitchboardError('forbidden', 'signed out')),
    });
    await expect(become('closed')).resolves.toMatchObject({ final: true, reason: { code: 'forbidden' } });
  });
});

describe('a closing frame', () => {
  const closing = (code: string, retry: boolean) => ({
    type: 'closing',
    content: { code, message: code, retry },
  });

  it('without retry closes the client for good', async () => {
    const { client, connection, become } = await openStage();
    const sent = failure(client.send('never answered'));
    connection.send(closing('kicked', false));
    await expect(become('closed')).resolves.toMatchObject({ final: true, reason: { code: 'kicked' } });
    await sent;
    await connection.closed;
  });

  it('with retry makes the client connect again', async () => {
    const { server, connection, clock, become } = await openStage();
    connection.send(closing('kicked', true));
    expect((await become('reconnecting')).reason.code).toBe('kicked');
    clock.advance(250);
    await server.connections.next();
    await become('open');
  });

  it('for an expired token is final with a string token, and calls a token function', async () => {
    const fixed = await openStage();
    fixed.connection.send(closing('token_expired', true));
    await expect(fixed.become('closed')).resolves.toMatchObject({ final: true });

    const renewed = await openStage({ token: () => 'fresh' });
    renewed.connection.send(closing('token_expired', true));
    await renewed.become('reconnecting');
    renewed.clock.advance(250);
    await renewed.become('open');
  });
});

describe('the client with the system clock', () => {
  it('connects, sends and closes', async () => {
    const { server } = await stage();
    const client = connect({ url: `${server.url}?stage=live`, token: 'a b&c', WebSocket });
    await expect(client.send('hello')).resolves.toEqual({ echo: null });
    const connection = await server.connections.next(({ query }) => query.get('token') === 'a b&c');
    await client.close();
    await expect(connection.closed).resolves.toBe(1000);
  });
});
