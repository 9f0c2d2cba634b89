import { describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { connect, type Options, SwitchboardError } from '../../client/index.ts';
import { failure, openStage, stage, startServer } from './client-under-test.ts';

describe('the status', () => {
  it('begins as connecting, and is open when the session is restored', async () => {
    const { client, become } = await stage();
    expect(client.status).toEqual({ state: 'connecting' });
    await become('open');
    expect(client.status).toEqual({ state: 'open' });
  });

  it('ends as closed, not final, by close(); the socket is closed with 1000 then', async () => {
    const { client, connection } = await openStage();
    await client.close();
    await expect(connection.closed).resolves.toBe(1000);
    expect(client.status).toMatchObject({ state: 'closed', final: false, reason: { code: 'closed' } });
  });

  it('can be closed while it connects, and connects no more', async () => {
    const { client, server, clock } = await stage();
    await client.close();
    clock.advance(3_600_000);
    await server.barrier();
    expect(server.connections.all).toEqual([]);
  });

  it('is closed at once, and final, where there is no socket to be had', async () => {
    const { become } = await stage({ url: 'ftp://127.0.0.1' });
    await expect(become('closed')).resolves.toMatchObject({ final: true, reason: { code: 'refused' } });
  });

  it.each(['no address at all', 'ws://exa mple/live', undefined])(
    'is refused on the spot where its address is none: %s',
    (url) => {
      const options = { url: url as string, token: 'secret', WebSocket };
      expect(() => connect(options)).toThrow(TypeError);
    },
  );

  it('says nothing more once it is closed, whatever was under way', async () => {
    const { client, server, errors } = await stage({}, (prepared) => {
      prepared.script = () => true;
    });
    const connection = await server.connections.next();
    await connection.next('recover');
    await client.close();
    await server.barrier();
    expect(errors.all).toEqual([]);
  });

  it('keeps the query of its address, and adds the token', async () => {
    const server = await startServer();
    const client = connect({ url: `${server.url}?stack=a%26b`, token: 'a+b', WebSocket });
    expect((await server.connections.next()).token).toBe('a+b');
    await client.close();
  });

  it('has the defaults where an option is there but undefined', async () => {
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

describe('a connection that is lost', () => {
  it('is made anew after a delay of random length, whose ceiling doubles up to 30 s', async () => {
    const { server, clock, become } = await openStage();
    clock.chance = 1;
    server.refusal = 500;
    server.cut();
    for (const ceilingMs of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      expect((await become('reconnecting')).retryInMs).toBe(ceilingMs);
      clock.advance(ceilingMs);
    }
  });

  it('begins with the short delays again after it has been stable', async () => {
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

  it('is soon made anew each time where connections last for seconds only', async () => {
    const { server, clock, become } = await openStage();
    for (let count = 0; count < 8; count += 1) {
      clock.advance(8000);
      server.cut();
      expect((await become('reconnecting')).retryInMs).toBe(250);
      clock.advance(250);
      await become('open');
    }
  });

  it('is tried again where the handshake takes too long', async () => {
    const { server, clock, become } = await stage({ token: () => new Promise<string>(() => undefined) });
    clock.advance(30_000);
    expect((await become('reconnecting')).reason.code).toBe('disconnected');
    expect(server.connections.all).toEqual([]);
  });
});

describe('a handshake that is refused', () => {
  const refuse = (status: number, options: Partial<Options> = {}) =>
    stage(options, (server) => {
      server.refusal = status;
    });

  it.each([401, 403])('with %i is final for a string token, where the status can be seen', async (status) => {
    const { become } = await refuse(status);
    await expect(become('closed')).resolves.toMatchObject({ final: true, reason: { code: 'forbidden' } });
  });

  it('with 500 is tried again', async () => {
    const { become } = await refuse(500);
    expect((await become('reconnecting')).reason.code).toBe('refused');
  });

  it('is tried again with a fresh token each time', async () => {
    let count = 0;
    const { server, clock, become } = await refuse(403, { token: () => `token-${++count}` });
    for (const retryInMs of [250, 500, 1000]) {
      await expect(become('reconnecting')).resolves.toMatchObject({ retryInMs });
      clock.advance(retryInMs);
    }
    await become('reconnecting');
    server.refusal = undefined;
    clock.advance(2000);
    expect((await server.connections.next()).token).toBe('token-5');
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
    expect((await server.connections.next()).token).toBe('second');
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

  it('without retry is final', async () => {
    const { client, connection, become } = await openStage();
    const sent = failure(client.send('never answered'));
    connection.send(closing('kicked', false));
    await expect(become('closed')).resolves.toMatchObject({ final: true, reason: { code: 'kicked' } });
    await sent;
    await connection.closed;
  });

  it('with retry has the client connect again', async () => {
    const { server, connection, clock, become } = await openStage();
    connection.send(closing('kicked', true));
    expect((await become('reconnecting')).reason.code).toBe('kicked');
    clock.advance(250);
    await server.connections.next();
    await become('open');
  });

  it('for an expired token is final for a string token, and has a token function called', async () => {
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

describe('without a clock of a test', () => {
  it('connects, sends and closes in real time', async () => {
    const { server } = await stage();
    const client = connect({ url: `${server.url}?stage=live`, token: 'a b&c', WebSocket });
    await expect(client.send('hello')).resolves.toEqual({ echo: null });
    const connection = await server.connections.next(({ token }) => token === 'a b&c');
    await client.close();
    await expect(connection.closed).resolves.toBe(1000);
  });
});
