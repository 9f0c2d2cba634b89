import { describe, expect, it } from 'vitest';
import { httpStack } from '../harness/http-stack.ts';
import { runCloud } from '../harness/running-cloud.ts';

const cors = {
  AllowOrigins: ['https://app.example', 'http://*'],
  AllowMethods: ['POST', 'GET'],
  AllowHeaders: ['authorization', 'content-type'],
  ExposeHeaders: ['x-seen'],
  AllowCredentials: true,
  MaxAge: 60,
};

const corsOf = (response: Response) =>
  Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-')));

const run = (configuration: Readonly<Record<string, unknown>> = cors) =>
  runCloud(
    httpStack({
      cors: configuration,
      routes: {
        'POST /a': {
          body: `return { statusCode: 200, headers: { 'access-control-allow-origin': 'https://own' } };`,
        },
        'POST /iam': { authorization: 'AWS_IAM' },
      },
    }),
    {
      allowOrigins: [
        'https://app.example',
        'http://any.example',
        'https://evil.example',
        'https://x.example',
      ],
    },
  );

describe('CORS (http-api-cors)', () => {
  const preflight = (origin: string) => ({
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });

  it('answers a preflight without a function, even for a route with authorization', async () => {
    const { url } = await run();
    const response = await fetch(`${url}/iam`, preflight('https://app.example'));
    expect(response.status).toBe(204);
    expect(corsOf(response)).toEqual({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST,GET',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '60',
    });
  });

  it('adds no header for an origin that is not allowed', async () => {
    const { url } = await run();
    const response = await fetch(`${url}/a`, preflight('https://evil.example'));
    expect([response.status, corsOf(response)]).toEqual([204, {}]);
  });

  it('replaces the CORS headers of the function', async () => {
    const { url } = await run();
    const response = await fetch(`${url}/a`, { method: 'POST', headers: { origin: 'http://any.example' } });
    expect(corsOf(response)).toEqual({
      'access-control-allow-origin': 'http://any.example',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'x-seen',
    });
  });

  it('drops the CORS headers of the function if the origin is not allowed', async () => {
    const { url } = await run();
    const response = await fetch(`${url}/a`, { method: 'POST', headers: { origin: 'https://evil.example' } });
    expect([response.status, corsOf(response)]).toEqual([200, {}]);
  });

  it('adds its headers to a refusal too', async () => {
    const { url } = await run({ AllowOrigins: ['*'] });
    const response = await fetch(`${url}/iam`, { method: 'POST', headers: { origin: 'https://x.example' } });
    expect([response.status, corsOf(response)]).toEqual([403, { 'access-control-allow-origin': '*' }]);
  });

  it('adds no header if the request has no Origin', async () => {
    const { url } = await run();
    expect(corsOf(await fetch(`${url}/iam`, { method: 'POST' }))).toEqual({});
  });
});
