import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { httpStack, type HttpRouteSpec, type HttpSpec } from '../harness/http-stack.ts';
import { runCloud } from '../harness/running-cloud.ts';

async function run(spec: HttpSpec) {
  return runCloud(httpStack(spec));
}

/** The status and body of GET / on a function with this body. */
async function answerOf(route: HttpRouteSpec, init: RequestInit = {}): Promise<readonly [number, string]> {
  const { url } = await run({ routes: { 'ANY /': route } });
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

const id: unknown = expect.stringMatching(/^[A-Za-z0-9_-]{15}=$/);
const time: unknown = expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
const apiId: unknown = expect.stringMatching(/^[a-z0-9]{10}$/);
const epochMs: unknown = expect.any(Number);
const traceId: unknown = expect.stringMatching(/^Root=1-/);

describe('the event (http-api-develop-integrations-lambda, payload format 2.0)', () => {
  it('has all parts of a request', async () => {
    const { url, port, events } = await run({
      routes: { 'POST /things/{thing}': {} },
      stageVariables: { colour: 'blue' },
    });
    await new Promise<void>((resolve) => {
      const headers = {
        'X-Many': ['a', 'b'],
        Cookie: 'one=1; two=2',
        'Content-Type': 'application/json',
        'User-Agent': 'test/1',
        Connection: 'close',
      };
      request(`${url}/things/a%20b?x=1&y=%C3%A9&x=2`, { method: 'POST', headers }, (response) => {
        response.resume().on('end', resolve);
      }).end('{"a":1}');
    });
    const host = `127.0.0.1:${String(port)}`;
    expect(await events('F0').next()).toEqual({
      version: '2.0',
      routeKey: 'POST /things/{thing}',
      rawPath: '/things/a%20b',
      rawQueryString: 'x=1&y=%C3%A9&x=2',
      cookies: ['one=1', 'two=2'],
      headers: {
        'x-many': 'a,b',
        'content-type': 'application/json',
        'user-agent': 'test/1',
        host,
        'content-length': '7',
        'x-amzn-trace-id': traceId,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-port': String(port),
        'x-forwarded-proto': 'http',
      },
      queryStringParameters: { x: '1,2', y: 'é' },
      pathParameters: { thing: 'a b' },
      stageVariables: { colour: 'blue' },
      requestContext: {
        accountId: '000000000000',
        apiId,
        domainName: expect.stringMatching(/^[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com$/) as string,
        domainPrefix: apiId,
        http: {
          method: 'POST',
          path: '/things/a%20b',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'test/1',
        },
        requestId: id,
        routeKey: 'POST /things/{thing}',
        stage: '$default',
        time,
        timeEpoch: epochMs,
      },
      body: '{"a":1}',
      isBase64Encoded: false,
    });
  });

  it('has no field for a part that the request lacks', async () => {
    const { url, events } = await run({ routes: { 'GET /': {} } });
    await fetch(url);
    const event = await events('F0').next();
    for (const field of ['cookies', 'queryStringParameters', 'pathParameters', 'stageVariables', 'body']) {
      expect(event).not.toHaveProperty(field);
    }
    expect(event).toMatchObject({ rawPath: '/', rawQueryString: '', isBase64Encoded: false });
  });

  it.each([
    ['text/plain;charset=UTF-8', false],
    ['application/json', false],
    ['application/xml', false],
    ['application/x-www-form-urlencoded', true],
    ['application/octet-stream', true],
    ['application/json-patch+json', true],
    ['', true],
  ])('has a body of type "%s" in base64: %s', async (type, isBase64Encoded) => {
    const { url, events } = await run({ routes: { 'POST /': {} } });
    await fetch(url, {
      method: 'POST',
      body: Buffer.from('é=1'),
      headers: type ? { 'content-type': type } : {},
    });
    const body = isBase64Encoded ? Buffer.from('é=1').toString('base64') : 'é=1';
    expect(await events('F0').next()).toMatchObject({ body, isBase64Encoded });
  });

  it('has the stage in its path if the stage has a name', async () => {
    const { url, events } = await run({ stage: 'v1', routes: { 'GET /a': {} } });
    expect((await fetch(`${url}/v1/a`)).status).toBe(200);
    expect(await events('F0').next()).toMatchObject({ rawPath: '/v1/a', requestContext: { stage: 'v1' } });
    expect((await fetch(`${url}/a`)).status).toBe(404);
  });
});

describe('the response (payload format 2.0)', () => {
  it('has the status, headers, cookies and body of the function’s answer', async () => {
    const body = `return {
      statusCode: 201, headers: { 'X-Number': 5, 'Content-Type': 'text/css' }, cookies: ['a=1; Secure', 'b=2'], body: 'hi',
    };`;
    const { url } = await run({ routes: { 'GET /': { body } } });
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([201, 'hi']);
    expect(response.headers.getSetCookie()).toEqual(['a=1; Secure', 'b=2']);
    expect(response.headers.get('x-number')).toBe('5');
    expect(response.headers.get('content-type')).toBe('text/css');
    expect(response.headers.get('apigw-requestid')).toEqual(id);
  });

  it('is a 200 with a JSON body if the function returns no statusCode', async () => {
    const { url } = await run({ routes: { 'GET /': { body: 'return { a: [1] };' } } });
    const response = await fetch(url);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.json()).toEqual({ a: [1] });
  });

  it('is decoded from base64 if the function says so', async () => {
    const body = `return { statusCode: 200, isBase64Encoded: true, body: 'aGk=' };`;
    expect(await answerOf({ body })).toEqual([200, 'hi']);
  });

  it.each([
    `throw new Error('secret');`,
    'return { statusCode: 200, body: { a: 1 } };',
    `return { statusCode: 'many' };`,
    `return { statusCode: 200, headers: { 'a b': '1' } };`,
    `return { statusCode: 200, headers: { a: 'x\\r\\ny: z' } };`,
    `return { statusCode: 200, cookies: 'a=1' };`,
    `return { statusCode: 200, body: 'x'.repeat(7 * 1024 * 1024) };`,
  ])('is 500 Internal Server Error if the function fails or its answer is malformed: %s', async (body) => {
    expect(await answerOf({ body })).toEqual([500, '{"message":"Internal Server Error"}']);
  });

  it('is 500 if API Gateway may not invoke the function', async () => {
    expect((await answerOf({ unpermitted: true }))[0]).toBe(500);
  });

  it('is 503 if the integration times out', async () => {
    const route = { body: 'await new Promise(() => {});', integration: { TimeoutInMillis: 50 }, timeout: 1 };
    expect(await answerOf(route)).toEqual([503, '{"message":"Service Unavailable"}']);
  });

  it('is 404 Not Found if no route matches', async () => {
    const { url } = await run({ routes: { 'GET /a': {} } });
    const response = await fetch(`${url}/b`);
    expect([response.status, await response.json()]).toEqual([404, { message: 'Not Found' }]);
    expect((await fetch(`${url}/a`, { method: 'POST' })).status).toBe(404);
  });

  it.each([7, 11, 18])('is 413 for a body of %i MB (Lambda takes 6 MB, the API 10 MB)', async (mb) => {
    const init = { method: 'POST', body: 'x'.repeat(mb * 1024 * 1024) };
    expect(await answerOf({}, init)).toEqual([413, '{"message":"Request Entity Too Large"}']);
  });
});

it('the meter counts a request per 512 KB', async () => {
  const { url, meter } = await run({ routes: { 'POST /': {} } });
  await fetch(url, { method: 'POST', body: 'x'.repeat(513 * 1024) });
  expect(meter.snapshot()['httpApi.requests']).toBe(2);
});
