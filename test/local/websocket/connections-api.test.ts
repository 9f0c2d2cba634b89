import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
  ApiGatewayManagementApiServiceException,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startGate, waitAt } from '../harness/gate.ts';
import { runCloud, type RunningCloud } from '../harness/running-cloud.ts';
import { webSocketStack, type WebSocketSpec } from '../harness/websocket-stack.ts';

const routes = { $connect: {}, $default: {}, $disconnect: {} };
const unknownId = 'R1kmxc2VNjMCFIA=';

function clientOf(cloud: RunningCloud, secretAccessKey = 'local'): ApiGatewayManagementApiClient {
  const client = new ApiGatewayManagementApiClient({
    endpoint: `${cloud.url}/live`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey },
    maxAttempts: 1,
  });
  onTestFinished(() => {
    client.destroy();
  });
  return client;
}

async function connected(spec: WebSocketSpec = { routes }) {
  const cloud = await runCloud(webSocketStack(spec));
  const client = await cloud.connect('', [], { 'user-agent': 'test/1' }).open();
  const { requestContext } = await cloud.events('Connect').next();
  return { cloud, client, api: clientOf(cloud), ConnectionId: String(requestContext.connectionId) };
}

/** The name and status of what the SDK throws. */
async function failureOf(call: Promise<unknown>): Promise<readonly [string, number | undefined]> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiGatewayManagementApiServiceException)) throw new Error('The call did not fail.');
  return [error.name, error.$metadata.httpStatusCode];
}

const post = (ConnectionId: string, data: string | Uint8Array = 'x') =>
  new PostToConnectionCommand({ ConnectionId, Data: typeof data === 'string' ? Buffer.from(data) : data });

describe('POST', () => {
  it('sends its body as one text message and answers 200', async () => {
    const { client, api, ConnectionId } = await connected();
    const { $metadata } = await api.send(post(ConnectionId, '{"text":"grüß"}'));
    expect($metadata.httpStatusCode).toBe(200);
    expect(await client.frames.next()).toBe('{"text":"grüß"}');
  });

  it('accepts 131,072 bytes and answers 413 to one more (API model: Data, max 131072)', async () => {
    const { client, api, ConnectionId } = await connected();
    await api.send(post(ConnectionId, 'x'.repeat(131_072)));
    expect((await client.frames.next()).length).toBe(131_072);
    expect(await failureOf(api.send(post(ConnectionId, 'x'.repeat(131_073))))).toEqual([
      'PayloadTooLargeException',
      413,
    ]);
  });

  it('answers 429 if the buffer of a client that does not read is full (API model: LimitExceededException)', async () => {
    const { client, api, ConnectionId } = await connected();
    client.socket.pause();
    const data = 'x'.repeat(131_072);
    const send = (): Promise<unknown> => api.send(post(ConnectionId, data));
    let sent = 0;
    // Kernel buffers take megabytes before the bound of the gateway counts.
    const flood = async (): Promise<never> => {
      for (;;) {
        await send();
        sent += 1;
      }
    };
    expect(await failureOf(flood())).toEqual(['LimitExceededException', 429]);
    expect(sent).toBeGreaterThan(8);
  });

  it('counts a message per 32 KB in the meter', async () => {
    const { cloud, api, ConnectionId } = await connected();
    await api.send(post(ConnectionId, 'x'.repeat(33 * 1024)));
    expect(cloud.meter.snapshot()['websocket.messages']).toBe(2);
  });
});

it('GET gives the time of connecting, the last activity and the identity (API model: GetConnection)', async () => {
  const { api, ConnectionId } = await connected();
  const { ConnectedAt, LastActiveAt, Identity } = await api.send(new GetConnectionCommand({ ConnectionId }));
  expect(Identity).toEqual({ SourceIp: '127.0.0.1', UserAgent: 'test/1' });
  expect(LastActiveAt?.getTime()).toBeGreaterThanOrEqual(ConnectedAt?.getTime() ?? Infinity);
});

it('DELETE closes with 1000 Connection Closed Normally and answers 204', async () => {
  const { cloud, client, api, ConnectionId } = await connected();
  const { $metadata } = await api.send(new DeleteConnectionCommand({ ConnectionId }));
  expect($metadata.httpStatusCode).toBe(204);
  expect(await client.closed).toEqual({ code: 1000, reason: 'Connection Closed Normally' });
  const { requestContext } = await cloud.events('Disconnect').next();
  expect(requestContext.disconnectStatusCode).toBe(1000);
  expect((await failureOf(api.send(post(ConnectionId))))[0]).toBe('GoneException');
});

describe('an id', () => {
  const calls: [string, (api: ApiGatewayManagementApiClient) => Promise<unknown>][] = [
    ['POST', (api) => api.send(post(unknownId))],
    ['GET', (api) => api.send(new GetConnectionCommand({ ConnectionId: unknownId }))],
    ['DELETE', (api) => api.send(new DeleteConnectionCommand({ ConnectionId: unknownId }))],
  ];
  it.each(calls)('of no connection is 410 GoneException for %s', async (_method, call) => {
    expect(await failureOf(call(clientOf(await runCloud(webSocketStack({ routes })))))).toEqual([
      'GoneException',
      410,
    ]);
  });

  it('of a connection that has closed is 410', async () => {
    const { cloud, client, api, ConnectionId } = await connected();
    client.socket.close();
    await cloud.events('Disconnect').next();
    expect((await failureOf(api.send(post(ConnectionId))))[0]).toBe('GoneException');
  });

  it('that is malformed is 400 BadRequestException', async () => {
    const api = clientOf(await runCloud(webSocketStack({ routes })));
    expect(await failureOf(api.send(post('no id')))).toEqual(['BadRequestException', 400]);
  });
});

describe('before $connect has returned', () => {
  it('a post to its id is 410 (repost.aws/knowledge-center/410-gone-api-gateway), and 200 afterwards', async () => {
    const gate = await startGate();
    const cloud = await runCloud(
      webSocketStack({ routes: { $connect: { body: `${waitAt(gate)} return { statusCode: 200 };` } } }),
    );
    const api = clientOf(cloud);
    const client = cloud.connect();
    const { requestContext } = await cloud.events('Connect').next();
    const open = await gate.waiting.next();
    const ConnectionId = String(requestContext.connectionId);
    expect((await failureOf(api.send(post(ConnectionId))))[0]).toBe('GoneException');
    open();
    await client.open();
    await api.send(post(ConnectionId, 'now'));
    expect(await client.frames.next()).toBe('now');
  });

  it('a client may go away: the connection never opens, but $disconnect runs', async () => {
    const gate = await startGate();
    const cloud = await runCloud(
      webSocketStack({
        routes: { $connect: { body: `${waitAt(gate)} return { statusCode: 200 };` }, $disconnect: {} },
      }),
    );
    const client = cloud.connect();
    const { requestContext } = await cloud.events('Connect').next();
    const open = await gate.waiting.next();
    client.socket.terminate();
    await client.closed;
    open();
    const { requestContext: ended } = await cloud.events('Disconnect').next();
    expect(ended.connectionId).toBe(requestContext.connectionId);
    expect(ended.disconnectStatusCode).toBe(1006);
    expect(cloud.meter.snapshot()).not.toHaveProperty('websocket.connects');
  });
});

describe('the caller', () => {
  it('without a signature gets 403', async () => {
    const { cloud, ConnectionId } = await connected();
    const url = `${cloud.url}/live/@connections/${encodeURIComponent(ConnectionId)}`;
    const response = await fetch(url, { method: 'POST', body: 'x' });
    expect([response.status, await response.json()]).toEqual([403, { message: 'Forbidden' }]);
    expect(response.headers.get('x-amzn-errortype')).toBe('ForbiddenException');
  });

  it('with the wrong secret gets 403', async () => {
    const { cloud, ConnectionId } = await connected();
    expect(await failureOf(clientOf(cloud, 'wrong').send(post(ConnectionId)))).toEqual([
      'ForbiddenException',
      403,
    ]);
  });
});
