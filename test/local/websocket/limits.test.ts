import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { CloudOptions } from '../../../local/index.ts';
import { encodeFrame } from '../harness/frame.ts';
import { runCloud, type RunningCloud } from '../harness/running-cloud.ts';
import { webSocketStack } from '../harness/websocket-stack.ts';

const KB = 1024;
const length = 'return { body: String(event.body.length) };';

async function run(options: Partial<CloudOptions> = {}): Promise<RunningCloud> {
  const routes = { $connect: {}, $default: { body: length, returnsResponse: true }, $disconnect: {} };
  return runCloud(webSocketStack({ routes }), options);
}

async function disconnectOf(cloud: RunningCloud): Promise<readonly unknown[]> {
  const { requestContext } = await cloud.events('Disconnect').next();
  return [requestContext.disconnectStatusCode, requestContext.disconnectReason];
}

describe('the limit of sizes (apigateway-execution-service-websocket-limits-table)', () => {
  it('allows a frame of 32 KB, and closes with 1009 on one byte more, which no function gets', async () => {
    const cloud = await run();
    const client = await cloud.connect().open();
    client.send('x'.repeat(32 * KB));
    expect(await client.frames.next()).toBe(String(32 * KB));
    client.send('x'.repeat(32 * KB + 1));
    expect((await client.closed).code).toBe(1009);
    expect(await disconnectOf(cloud)).toEqual([1009, '']);
    await cloud.events('Default').next();
    expect(cloud.events('Default').size).toBe(0);
  });

  it('is in bytes, not in characters', async () => {
    const cloud = await run();
    const client = await cloud.connect().open();
    client.send('é'.repeat(16 * KB + 1));
    expect((await client.closed).code).toBe(1009);
  });

  it('does not affect a whole message in one packet with a refused frame', async () => {
    const cloud = await run();
    const client = await cloud.connect().open();
    const socket = transportOf(client.socket);
    const good = encodeFrame(1, true, true, Buffer.from('good'));
    const refused = encodeFrame(1, true, true, Buffer.alloc(33 * KB, 'x'));
    socket.write(Buffer.concat([good, refused]));
    expect((await cloud.events('Default').next()).body).toBe('good');
    expect(await disconnectOf(cloud)).toEqual([1009, '']);
    expect(cloud.events('Default').size).toBe(0);
  });

  it('allows a message of 128 KB in frames of 32 KB', async () => {
    const cloud = await run();
    const client = await cloud.connect().open();
    for (let part = 1; part <= 4; part += 1) client.socket.send('x'.repeat(32 * KB), { fin: part === 4 });
    expect(await client.frames.next()).toBe(String(128 * KB));
  });

  it('closes with 1009 on a message above 128 KB', async () => {
    const cloud = await run();
    const client = await cloud.connect().open();
    for (let part = 1; part <= 5; part += 1) client.socket.send('x'.repeat(32 * KB), { fin: part === 5 });
    expect((await client.closed).code).toBe(1009);
    expect(await disconnectOf(cloud)).toEqual([1009, '']);
    expect(cloud.events('Default').size).toBe(0);
  });
});

it('a connection closes with 1003 on a binary message (websocket-api-develop-binary-media-types)', async () => {
  const cloud = await run();
  const client = await cloud.connect().open();
  client.socket.send(Buffer.from('bytes'));
  expect((await client.closed).code).toBe(1003);
  expect(await disconnectOf(cloud)).toEqual([1003, '']);
  expect(cloud.events('Default').size).toBe(0);
});

it('a connection closes with 1007 on invalid UTF-8 (RFC 6455, 8.1)', async () => {
  const cloud = await run();
  const client = await cloud.connect().open();
  client.socket.send(Buffer.from([0xff]), { binary: false });
  expect((await client.closed).code).toBe(1007);
  expect(await disconnectOf(cloud)).toEqual([1007, '']);
});

describe('an open connection ends with 1001 Going away', () => {
  const goingAway = { code: 1001, reason: 'Going away' };
  const never = 365 * 24 * 60 * 60_000;
  /** Ten minutes take 5 ms, and two hours 60 ms. */
  const fast = { clockSpeed: 120_000 };

  it.each([
    ['when it is idle for as long as the options say', { idleTimeoutMs: 50 }],
    ['when it is as old as the options say', { lifetimeMs: 50 }],
    ['when it is idle for long, without any options', { ...fast, lifetimeMs: never }],
    ['when it is old, without any options', { ...fast, idleTimeoutMs: never }],
  ])('%s', async (_when, options) => {
    const cloud = await run(options);
    const client = cloud.connect();
    expect(await client.closed).toEqual(goingAway);
    expect(await disconnectOf(cloud)).toEqual([1001, 'Going away']);
  });
});

describe('$disconnect', () => {
  it('gets 1005 if the client closes without a code, and runs once', async () => {
    const cloud = await run();
    const client = await cloud.connect().open();
    client.socket.close();
    expect(await disconnectOf(cloud)).toEqual([1005, '']);
    await cloud.close();
    expect(cloud.meter.snapshot()['lambda.Disconnect.invocations']).toBe(1);
  });

  it('gets 1006 if the client vanishes', async () => {
    const cloud = await run();
    const client = await cloud.connect().open();
    client.socket.terminate();
    expect(await disconnectOf(cloud)).toEqual([1006, '']);
  });

  it('runs for every open connection when the cloud shuts down', async () => {
    const cloud = await run();
    const clients = [await cloud.connect().open(), await cloud.connect().open()];
    await cloud.close();
    for (const client of clients) expect((await client.closed).code).toBe(1001);
    expect(await disconnectOf(cloud)).toEqual([1001, 'Going away']);
    expect(await disconnectOf(cloud)).toEqual([1001, 'Going away']);
  });
});

/** The TCP socket below a ws client: the only way to choose what shares a packet. */
function transportOf(webSocket: object): Socket {
  const socket: unknown = Reflect.get(webSocket, '_socket');
  if (!(socket instanceof Socket)) throw new Error('ws keeps its socket elsewhere now.');
  return socket;
}
