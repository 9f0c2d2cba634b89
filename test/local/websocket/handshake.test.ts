import { get } from 'node:http';
import { describe, expect, it } from 'vitest';
import { runCloud } from '../harness/running-cloud.ts';
import {
  allow,
  webSocketStack,
  type WebSocketRouteSpec,
  type WebSocketSpec,
} from '../harness/websocket-stack.ts';

const connectOnly = { $connect: {}, $disconnect: {} };

async function statusOf(spec: WebSocketSpec, query = '?token=t'): Promise<number> {
  const cloud = await runCloud(webSocketStack(spec));
  return cloud.connect(query).handshake;
}

const withAuthorizer = (body: string, more: Partial<WebSocketRouteSpec> = {}): WebSocketSpec => ({
  routes: connectOnly,
  authorizer: { body, ...more },
});

describe('the authorizer (apigateway-websocket-api-lambda-auth)', () => {
  it.each(['', '?token=', '?other=t'])(
    'is not called if its identity source is missing or empty: 401 (%j)',
    async (query) => {
      const cloud = await runCloud(webSocketStack(withAuthorizer(allow())));
      expect(await cloud.connect(query).handshake).toBe(401);
      expect(cloud.meter.snapshot()).not.toHaveProperty('lambda.Authorize.invocations');
    },
  );

  it('may have a header as identity source, in upper or lower case', async () => {
    const spec = { routes: connectOnly, authorizer: { identitySource: ['route.request.header.X-Auth'] } };
    const cloud = await runCloud(webSocketStack(spec));
    expect(await cloud.connect('', [], { 'x-auth': 'a' }).handshake).toBe(101);
  });

  it('refuses with 401 if it throws exactly Unauthorized', async () => {
    expect(await statusOf(withAuthorizer(`throw new Error('Unauthorized');`))).toBe(401);
  });

  it('refuses with 500 if it throws anything else', async () => {
    expect(await statusOf(withAuthorizer(`throw new Error('unauthorized');`))).toBe(500);
  });

  it('refuses with 500 if it runs out of time', async () => {
    expect(await statusOf(withAuthorizer('await new Promise(() => {});', { timeout: 1 }))).toBe(500);
  });

  it.each([
    'return { statusCode: 401 };',
    'return null;',
    `return { principalId: 'u' };`,
    `return { principalId: 'u', policyDocument: { Statement: [] } };`,
    `return { policyDocument: { Statement: [{ Action: '*', Effect: 'Allow', Resource: '*' }] } };`,
    `return { principalId: 'u', policyDocument: { Statement: [{ Action: '*', Resource: '*' }] } };`,
  ])('refuses with 500 if its result is malformed: %s', async (body) => {
    expect(await statusOf(withAuthorizer(body))).toBe(500);
  });

  it('refuses with 500 if a context value is an object', async () => {
    expect(await statusOf(withAuthorizer(allow({ user: { id: 1 } })))).toBe(500);
  });

  it('refuses with 500 if its result is above 8 KB', async () => {
    expect(await statusOf(withAuthorizer(allow({ long: 'x'.repeat(8200) })))).toBe(500);
  });

  it.each([
    { Effect: 'Deny', Action: 'execute-api:Invoke', Resource: '*' },
    { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: 'arn:aws:execute-api:*:*:*/other/*' },
    { Effect: 'Allow', Action: 's3:*', Resource: '*' },
  ])('refuses with 403 if its policy does not allow the method: %j', async (statement) => {
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    expect(await statusOf(withAuthorizer(`return { principalId: 'u', policyDocument: ${policy} };`))).toBe(
      403,
    );
  });

  it('may allow by a policy with wildcards', async () => {
    const policy = `{ Statement: { Effect: 'Allow', Action: 'execute-api:*', Resource: event.methodArn.slice(0, -5) + '*' } }`;
    expect(await statusOf(withAuthorizer(`return { principalId: 'u', policyDocument: ${policy} };`))).toBe(
      101,
    );
  });

  it('refuses with 500 if API Gateway has no permission to invoke it', async () => {
    expect(await statusOf(withAuthorizer(allow(), { unpermitted: true }))).toBe(500);
  });
});

describe('$connect', () => {
  const connecting = (route: WebSocketRouteSpec): WebSocketSpec => ({
    routes: { $connect: route, $disconnect: {} },
  });

  it.each([400, 403, 503])(
    'refuses with its own status: %i (websocket-connect-route-subprotocol)',
    async (status) => {
      expect(await statusOf(connecting({ body: `return { statusCode: ${String(status)} };` }))).toBe(status);
    },
  );

  it.each([`throw new Error('no');`, 'return {};', 'return;', `return { statusCode: 'fine' };`])(
    'gives a 502 if it throws or its answer is malformed (services-apigateway): %s',
    async (body) => {
      expect(await statusOf(connecting({ body }))).toBe(502);
    },
  );

  it('gives a 500 if API Gateway has no permission to invoke it', async () => {
    expect(await statusOf(connecting({ unpermitted: true }))).toBe(500);
  });

  it('gives a 500 if Lambda throttles it', async () => {
    expect(await statusOf(connecting({ reserved: 0 }))).toBe(500);
  });

  it('gives a 504 if it takes longer than the integration timeout', async () => {
    const route = { body: 'await new Promise(() => {});', integration: { TimeoutInMillis: 50 }, timeout: 1 };
    expect(await statusOf(connecting(route))).toBe(504);
  });

  it('is not followed by $disconnect if it refused', async () => {
    const cloud = await runCloud(webSocketStack(connecting({ body: 'return { statusCode: 403 };' })));
    expect(await cloud.connect().handshake).toBe(403);
    await cloud.close();
    expect(cloud.meter.snapshot()).not.toHaveProperty('lambda.Disconnect.invocations');
  });

  it('chooses the subprotocol by its Sec-WebSocket-Protocol header', async () => {
    const body = `return { statusCode: 200, headers: { 'sec-websocket-protocol': 'b' } };`;
    const cloud = await runCloud(webSocketStack(connecting({ body })));
    const client = await cloud.connect('', ['a', 'b']).open();
    expect(client.socket.protocol).toBe('b');
    expect(client.socket.extensions).toBe('');
  });

  it('chooses no subprotocol if it names none', async () => {
    const cloud = await runCloud(webSocketStack(connecting({})));
    const client = cloud.connect('', ['a']);
    // RFC 6455, 4.1: a client that asked for subprotocols may continue without one. ws does not.
    expect((await client.closed).code).toBe(1006);
  });
});

describe('the endpoint', () => {
  it('answers a plain GET of the stage with 426', async () => {
    const cloud = await runCloud(webSocketStack({ routes: connectOnly }));
    const status = await new Promise((resolve) => {
      get(`${cloud.url}/live`, (response) => resolve(response.resume().statusCode));
    });
    expect(status).toBe(426);
  });

  it('answers an upgrade of an unknown stage with 403', async () => {
    const cloud = await runCloud(webSocketStack({ routes: connectOnly }));
    expect(await cloud.connect('x').handshake).toBe(403);
  });

  it('answers a URL of more than 4,096 characters with 414 (apigateway-execution-service-websocket-limits-table)', async () => {
    const cloud = await runCloud(webSocketStack({ routes: connectOnly }));
    const room = 4096 - `${cloud.webSocketUrl}?token=`.length;
    expect(await cloud.connect(`?token=${'x'.repeat(room)}`).handshake).toBe(101);
    expect(await cloud.connect(`?token=${'x'.repeat(room + 1)}`).handshake).toBe(414);
    expect(await cloud.connect(`?token=${'x'.repeat(20_000)}`).handshake).toBe(414);
  });
});
