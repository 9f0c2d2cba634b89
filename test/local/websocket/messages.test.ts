import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selectRouteKey } from '../../../local/websocket/selection.ts';
import { encodeFrame } from '../harness/frame.ts';
import { runCloud } from '../harness/running-cloud.ts';
import { webSocketStack, type WebSocketRouteSpec } from '../harness/websocket-stack.ts';

const id: unknown = expect.stringMatching(/^[A-Za-z0-9_-]{15}=$/);
const echo = 'return { statusCode: 200, body: event.requestContext.routeKey + ":" + event.body };';
/** Its answer comes after every frame before it. If that answer is the next frame, nothing came in between. */
const barrier = { body: `return { body: 'barrier' };`, returnsResponse: true };

async function connected(routes: Readonly<Record<string, WebSocketRouteSpec>>) {
  const cloud = await runCloud(webSocketStack({ routes: { $connect: {}, barrier, ...routes } }));
  return { cloud, client: await cloud.connect().open() };
}

describe('the route of a message (websocket-api-develop-routes)', () => {
  it.each([
    ['{"type":"order"}', 'order'],
    ['{"type":"other"}', '$default'],
    ['{"content":1}', '$default'],
    ['not JSON', '$default'],
    ['{"type":"$connect"}', '$default'],
    ['{"type":"$disconnect"}', '$default'],
  ])('%s goes to %s', async (body, routeKey) => {
    const { client } = await connected({
      order: { body: echo, returnsResponse: true },
      $default: { body: echo, returnsResponse: true },
      $disconnect: {},
    });
    client.send(body);
    expect(await client.frames.next()).toBe(`${routeKey}:${body}`);
  });

  it.each([
    ['$request.body.a.b', '{"a":{"b":"deep"}}', 'deep'],
    ['${request.body.a}', '{"a":"braces"}', 'braces'],
    ['$request.body.a', '{"a":["item1","item2"]}', '[item1, item2]'],
    ['$request.body.a', '{"a":7}', '7'],
    ['$request.body.a', '{"a":true}', 'true'],
    ['$request.body.a', '{"a":null}', ''],
    ['$request.body.a', '{}', ''],
    ['$request.body.a.b', '{"a":"text"}', ''],
    ['$request.body.constructor', '{}', ''],
    ['$request.body.a', '[', ''],
    ['$request.header.a', '{"a":"x"}', ''],
  ])('%s of %s selects "%s"', (expression, body, key) => {
    expect(selectRouteKey(expression, body)).toBe(key);
  });

  it.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('a field of %s, thousands of levels deep, selects no route', (_what, open, close) => {
    const body = `{"a":${open.repeat(5000)}1${close.repeat(5000)}}`;
    expect(selectRouteKey('$request.body.a', body)).toBe('');
  });

  it('is an error for the client if no route matches and there is no $default', async () => {
    const { client } = await connected({});
    client.send({ type: 'unknown' });
    expect(JSON.parse(await client.frames.next())).toEqual({
      message: 'Forbidden',
      connectionId: id,
      requestId: id,
    });
  });
});

describe('the answer to a message', () => {
  it('is dropped if the route has no route response (apigateway-websocket-api-route-response)', async () => {
    const { cloud, client } = await connected({ $default: { body: echo } });
    client.send('x');
    await cloud.events('Default').next();
    client.send({ type: 'barrier' });
    expect(await client.frames.next()).toBe('barrier');
  });

  it('is no frame if the function returns no body', async () => {
    const { cloud, client } = await connected({ $default: { returnsResponse: true } });
    client.send('x');
    await cloud.events('Default').next();
    client.send({ type: 'barrier' });
    expect(await client.frames.next()).toBe('barrier');
  });

  it.each([true, false])(
    'says Internal server error if the function throws (route response: %s)',
    async (returnsResponse) => {
      const { cloud, client } = await connected({
        $default: { body: `throw new Error('secret');`, returnsResponse },
      });
      client.send('x');
      const { requestContext } = await cloud.events('Default').next();
      const { connectionId, requestId } = requestContext;
      const message = 'Internal server error';
      expect(JSON.parse(await client.frames.next())).toEqual({ message, connectionId, requestId });
    },
  );

  it('says so if API Gateway may not invoke the function', async () => {
    const { client } = await connected({ $default: { unpermitted: true } });
    client.send('x');
    expect(await client.frames.next()).toContain('"message":"Internal server error"');
  });

  it('says so if the integration times out', async () => {
    const body = 'await new Promise(() => {});';
    const { client } = await connected({
      $default: { body, integration: { TimeoutInMillis: 50 }, timeout: 1 },
    });
    client.send('x');
    expect(await client.frames.next()).toContain('"message":"Endpoint request timed out"');
  });

  it('says so if the answer is above 128 KB, the limit of a message', async () => {
    const body = `return { body: 'x'.repeat(128 * 1024 + Number(event.body)) };`;
    const { client } = await connected({ $default: { body, returnsResponse: true } });
    client.send('0');
    expect((await client.frames.next()).length).toBe(128 * 1024);
    client.send('1');
    expect(await client.frames.next()).toContain('"message":"Internal server error"');
  });

  it('waits for one turn of another connection, however many messages that one has sent', async () => {
    const body = 'await new Promise((done) => setTimeout(done, 20)); return { body: event.body };';
    const { cloud, client: busy } = await connected({ $default: { body, returnsResponse: true } });
    const quiet = await cloud.connect().open();
    for (let sent = 0; sent < 80; sent += 1) busy.send('busy');
    await busy.frames.next();
    quiet.send('quiet');
    await quiet.frames.next();
    // Eight run at a time. In the order of their arrival, all would have been answered before.
    expect(busy.frames.size).toBeLessThan(60);
  });

  it('does not wait for other messages, because each is a separate invocation', async () => {
    const body = `if (event.body === 'slow') await new Promise(() => {}); return { body: event.body };`;
    const { client } = await connected({ $default: { body, returnsResponse: true, timeout: 1 } });
    client.send('slow');
    client.send('quick');
    expect(await client.frames.next()).toBe('quick');
  });
});

it('the meter counts connects, started minutes, and messages in both directions (https://aws.amazon.com/api-gateway/pricing/)', async () => {
  const { cloud, client } = await connected({ $default: { body: echo, returnsResponse: true } });
  client.send('x');
  await client.frames.next();
  const {
    'websocket.connects': connects,
    'websocket.messages': messages,
    ...others
  } = cloud.meter.snapshot();
  expect([connects, messages, others['websocket.connectionMinutes']]).toEqual([1, 2, 1]);
});

it('a message that a client sends before its handshake is answered runs too', async () => {
  const cloud = await runCloud(webSocketStack({ routes: { $connect: {}, $default: {} } }));
  const socket = connect(cloud.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const handshake = [
    'GET /live HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  socket.write(`${handshake.join('\r\n')}\r\n\r\n`);
  socket.write(encodeFrame(1, true, true, Buffer.from('hasty')));
  expect((await cloud.events('Default').next()).body).toBe('hasty');
});
