import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { httpStack } from './harness/http-stack.ts';
import { runCloud } from './harness/running-cloud.ts';
import { webSocketStack } from './harness/websocket-stack.ts';

const stack = httpStack({ routes: { 'GET /hello': {} } });

describe('local control', () => {
  it('gives health, meter and log', async () => {
    const { url } = await runCloud(stack);
    expect(await (await fetch(`${url}/_local/health`)).json()).toEqual({ status: 'ok' });
    await fetch(`${url}/hello`);
    expect(await (await fetch(`${url}/_local/meter`)).json()).toMatchObject({ 'httpApi.requests': 1 });
    const log: unknown = await (await fetch(`${url}/_local/log`)).json();
    const entry = { kind: 'request', what: 'GET /hello', status: 200 };
    expect(log).toMatchObject({ entries: [{ kind: 'output', function: 'F0' }, entry] });
  });

  it('names the stages, and the query parameters that their handshakes need', async () => {
    const authorizer = {
      identitySource: ['route.request.querystring.access', 'route.request.header.Origin'],
    };
    const { url } = await runCloud(webSocketStack({ routes: { $connect: {} }, authorizer }));
    const stages = [{ path: '/live', queryParameters: ['access'] }];
    expect(await (await fetch(`${url}/_local/stages`)).json()).toEqual({ stages });
  });

  it('answers 404 to an unknown path and 405 with Allow to a wrong method', async () => {
    const { url } = await runCloud(stack);
    expect((await fetch(`${url}/_local/else`)).status).toBe(404);
    const response = await fetch(`${url}/_local/meter`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each([
    ['rebound.example', 403],
    ['127.0.0.1.rebound.example', 403],
    ['localhost:8080', 200],
    ['[::1]:8080', 200],
  ])(
    'answers the host %s with %i, so that no web page can read it by DNS rebinding',
    async (host, expected) => {
      const { url } = await runCloud(stack);
      const status = await new Promise((resolve) => {
        request(`${url}/_local/log`, { headers: { host } }, (response) => {
          resolve(response.resume().statusCode);
        }).end();
      });
      expect(status).toBe(expected);
    },
  );
});
