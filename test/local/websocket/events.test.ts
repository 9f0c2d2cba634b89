import { expect, it } from 'vitest';
import { runCloud, type LambdaEvent, type RunningCloud } from '../harness/running-cloud.ts';
import { allow, webSocketStack } from '../harness/websocket-stack.ts';

const id: unknown = expect.stringMatching(/^[A-Za-z0-9_-]{15}=$/);
const time: unknown = expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
const epochMs: unknown = expect.any(Number);
const apiId: unknown = expect.stringMatching(/^[a-z0-9]{10}$/);
const latency: unknown = expect.any(Number);
const key: unknown = expect.any(String);
const traceId: unknown = expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
const methodArn: unknown = expect.stringMatching(
  /^arn:aws:execute-api:us-east-1:000000000000:[a-z0-9]{10}\/live\/\$connect$/,
);

async function run(): Promise<RunningCloud> {
  const authorizer = { body: allow({ tenant: 'a', exp: 1763680000, admin: true }) };
  return runCloud(webSocketStack({ routes: { $connect: {}, $default: {}, $disconnect: {} }, authorizer }));
}

function commonContext(cloud: RunningCloud, eventType: string, routeKey: string): Record<string, unknown> {
  return {
    routeKey,
    eventType,
    extendedRequestId: id,
    requestTime: time,
    messageDirection: 'IN',
    stage: 'live',
    connectedAt: epochMs,
    requestTimeEpoch: epochMs,
    identity: { userAgent: 'test/1', sourceIp: '127.0.0.1' },
    requestId: id,
    domainName: `${cloud.deployment.physicalId('Api')}.execute-api.us-east-1.amazonaws.com`,
    connectionId: id,
    apiId,
  };
}

/** The context is all strings on the other side (api-gateway-lambda-authorizer-output). */
const authorizer = {
  tenant: 'a',
  exp: '1763680000',
  admin: 'true',
  principalId: 'user-1',
  integrationLatency: latency,
};

function requestHeaders(cloud: RunningCloud): Record<string, unknown> {
  return {
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
    'user-agent': 'test/1',
    Host: `127.0.0.1:${String(cloud.port)}`,
    'X-Amzn-Trace-Id': traceId,
    'X-Forwarded-For': '127.0.0.1',
    'X-Forwarded-Port': String(cloud.port),
    'X-Forwarded-Proto': 'http',
  };
}

function lists(headers: Record<string, unknown>): Record<string, unknown[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
}

const open = (cloud: RunningCloud, query: string) =>
  cloud.connect(query, [], { 'user-agent': 'test/1' }).open();

it('the authorizer gets a REQUEST event (apigateway-websocket-api-lambda-auth)', async () => {
  const cloud = await run();
  await open(cloud, '?token=t&token=u%20v');
  const headers = {
    ...requestHeaders(cloud),
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'content-length': '0',
  };
  const event = await cloud.events('Authorize').next();
  expect(event).toEqual({
    type: 'REQUEST',
    methodArn,
    headers,
    multiValueHeaders: lists(headers),
    queryStringParameters: { token: 'u v' },
    multiValueQueryStringParameters: { token: ['t', 'u v'] },
    stageVariables: {},
    requestContext: commonContext(cloud, 'CONNECT', '$connect'),
  });
  sameIds(event);
});

it('$connect gets the captured CONNECT event, with the context of the authorizer', async () => {
  const cloud = await run();
  await open(cloud, '?token=t');
  const event = await cloud.events('Connect').next();
  expect(event).toEqual({
    headers: requestHeaders(cloud),
    multiValueHeaders: lists(requestHeaders(cloud)),
    queryStringParameters: { token: 't' },
    multiValueQueryStringParameters: { token: ['t'] },
    requestContext: { ...commonContext(cloud, 'CONNECT', '$connect'), authorizer },
    isBase64Encoded: false,
  });
  sameIds(event);
});

it('a CONNECT event has no query maps if there is no query', async () => {
  const cloud = await runCloud(webSocketStack({ routes: { $connect: {} } }));
  await open(cloud, '');
  expect(await cloud.events('Connect').next()).toEqual({
    headers: requestHeaders(cloud),
    multiValueHeaders: lists(requestHeaders(cloud)),
    requestContext: commonContext(cloud, 'CONNECT', '$connect'),
    isBase64Encoded: false,
  });
});

it('a MESSAGE event has no headers and no query, and is the only one with a messageId (aws-lambda-go test data)', async () => {
  const cloud = await run();
  const client = await open(cloud, '?token=t');
  client.send('{"a": 1}');
  const event = await cloud.events('Default').next();
  expect(event).toEqual({
    requestContext: { ...commonContext(cloud, 'MESSAGE', '$default'), messageId: id, authorizer },
    body: '{"a": 1}',
    isBase64Encoded: false,
  });
  sameIds(event);
});

it('a DISCONNECT event has four headers, the close code and the reason (aws-lambda-go test data)', async () => {
  const cloud = await run();
  const client = await open(cloud, '?token=t');
  client.socket.close(4001, 'bye');
  const host = `${cloud.deployment.physicalId('Api')}.execute-api.us-east-1.amazonaws.com`;
  const event = await cloud.events('Disconnect').next();
  const headers = { Host: host, 'x-api-key': '', 'X-Forwarded-For': '', 'x-restapi': '' };
  expect(event).toEqual({
    headers,
    multiValueHeaders: lists(headers),
    requestContext: {
      ...commonContext(cloud, 'DISCONNECT', '$disconnect'),
      authorizer,
      disconnectStatusCode: 4001,
      disconnectReason: 'bye',
    },
    isBase64Encoded: false,
  });
  sameIds(event);
});

it('all events of a connection have the same connectionId and connectedAt', async () => {
  const cloud = await run();
  const client = await open(cloud, '?token=t');
  client.send('x');
  const message = await cloud.events('Default').next();
  client.socket.close();
  const seen = [
    await cloud.events('Authorize').next(),
    await cloud.events('Connect').next(),
    message,
    await cloud.events('Disconnect').next(),
  ].map(
    ({ requestContext }) => `${String(requestContext.connectionId)} ${String(requestContext.connectedAt)}`,
  );
  expect(new Set(seen).size).toBe(1);
});

/** "Same as $context.extendedRequestId" (apigateway-websocket-api-mapping-template-reference). */
function sameIds({ requestContext }: LambdaEvent): void {
  expect(requestContext.requestId).toBe(requestContext.extendedRequestId);
}
