import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Front } from '../../local/http-server.ts';
import { createLog } from '../../local/log.ts';
import { isStartError, startCloud } from '../../local/index.ts';
import { httpStack } from './harness/http-stack.ts';
import { listen } from './harness/listen.ts';
import { runCloud } from './harness/running-cloud.ts';
import { writeAssembly } from './harness/inline-functions.ts';
import { allow, webSocketStack } from './harness/websocket-stack.ts';

const stack = {
  ...httpStack({ routes: { 'GET /hello': {} } }),
  ...webSocketStack({ routes: { $connect: {} } }),
};

describe('starting', () => {
  it('says in one line that the port is in use', async () => {
    const server = createServer();
    const port = await listen(server);
    onTestFinished(() => void server.close());
    const error: unknown = await startCloud({ assembly: await writeAssembly(stack), port }).catch(
      (thrown: unknown) => thrown,
    );
    expect(isStartError(error)).toBe(true);
    const oneLine: unknown = expect.stringMatching(new RegExp(`^Port ${String(port)} is in use[^\\n]*$`));
    expect(error).toMatchObject({ name: 'PortInUseError', message: oneLine });
  });

  it('gives the port back where the template cannot run', async () => {
    const broken = { ...stack, Odd: { Type: 'AWS::Odd::Thing', Properties: {} } };
    const assembly = await writeAssembly(broken);
    await expect(startCloud({ assembly, port: 0 })).rejects.toThrow(/Odd.*AWS::Odd::Thing/);
  });

  it('refuses two APIs whose stages one port cannot tell apart', async () => {
    const twice = { ...httpStack({ stage: 'live', routes: {} }), ...webSocketStack({ routes: {} }) };
    await expect(runCloud(twice)).rejects.toThrow('Two APIs have a stage live');
  });

  it('listens on loopback alone and tells its addresses in the outputs', async () => {
    const url = { Value: { 'Fn::Sub': 'wss://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live' } };
    const cloud = await startCloud({ assembly: await writeAssembly(stack, { Url: url }), port: 0 });
    onTestFinished(() => cloud.close());
    expect(cloud.url).toBe(`http://127.0.0.1:${String(cloud.port)}`);
    expect(cloud.deployment.outputs.get('Url')).toBe(`ws://127.0.0.1:${String(cloud.port)}/live`);
  });
});

it('closes once, however often it is told, and frees the port', async () => {
  const cloud = await runCloud(stack);
  await Promise.all([cloud.close(), cloud.close()]);
  await expect(fetch(`${cloud.url}/_local/health`)).rejects.toThrow();
  const again = await startCloud({ assembly: await writeAssembly(stack), port: cloud.port });
  await again.close();
});

it('answers 503 until it is ready', async () => {
  const front = new Front(createLog(() => 0));
  const port = await front.listen(0);
  onTestFinished(() => front.close());
  expect((await fetch(`http://127.0.0.1:${String(port)}/_local/health`)).status).toBe(503);
});

describe('local control', () => {
  it('tells its health, its meter and its log', async () => {
    const { url } = await runCloud(stack);
    expect(await (await fetch(`${url}/_local/health`)).json()).toEqual({ status: 'ok' });
    await fetch(`${url}/hello`);
    expect(await (await fetch(`${url}/_local/meter`)).json()).toMatchObject({ 'httpApi.requests': 1 });
    const log: unknown = await (await fetch(`${url}/_local/log`)).json();
    const entry = { kind: 'request', what: 'GET /hello', status: 200 };
    expect(log).toMatchObject({ entries: [{ kind: 'output', function: 'F0' }, entry] });
  });

  it('answers 404 to what it does not know and 405 with Allow to another method', async () => {
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
  ])('answers the host %s with %i, so that no web page reads it by DNS rebinding', async (host, expected) => {
    const { url } = await runCloud(stack);
    const status = await new Promise((resolve) => {
      request(`${url}/_local/log`, { headers: { host } }, (response) => {
        resolve(response.resume().statusCode);
      }).end();
    });
    expect(status).toBe(expected);
  });
});

it('logs each request in one line, without its query, its token or its body', async () => {
  const routes = { $connect: {}, $default: {}, $disconnect: {} };
  const authorizer = { body: allow() };
  const cloud = await runCloud({
    ...httpStack({ routes: { 'POST /hello': {} } }),
    ...webSocketStack({ routes, authorizer }),
  });
  await fetch(`${cloud.url}/hello?key=secret-query`, { method: 'POST', body: 'secret-body' });
  const client = await cloud.connect('?token=secret-token').open();
  client.send('secret-message');
  const { requestContext } = await cloud.events('Default').next();
  client.socket.close(4000, 'secret-reason');
  await cloud.events('Disconnect').next();
  await cloud.close();
  const connectionId = String(requestContext.connectionId);
  // The functions of these tests print their events; a function's own output is its own affair.
  const lines = cloud.lines
    .filter((line) => !line.includes('EVENT'))
    .map((line) => line.replace(/\d+ ms$/, 'N ms'));
  expect(lines).toEqual([
    'POST /hello 200 N ms',
    `CONNECT live ${connectionId} 101 N ms`,
    `MESSAGE $default ${connectionId} ok N ms`,
    `DISCONNECT live ${connectionId} 4000 N ms`,
  ]);
});

describe('the site', () => {
  async function withSite() {
    const assembly = await writeAssembly(stack);
    const site = join(assembly, 'site');
    await mkdir(join(site, 'assets'), { recursive: true });
    await writeFile(join(site, 'index.html'), '<h1>hello</h1>');
    await writeFile(join(site, 'assets', 'app.js'), 'export {};');
    await symlink(join(assembly, 'manifest.json'), join(site, 'link.json'));
    return runCloud(stack, { site });
  }

  it.each([
    ['/', 'text/html; charset=utf-8'],
    ['/assets/app.js', 'text/javascript; charset=utf-8'],
  ])('serves %s as %s, never from a cache', async (path, type) => {
    const { url } = await withSite();
    const response = await fetch(url + path);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it.each(['/..%2fmanifest.json', '/%2e%2e/manifest.json', '/link.json', '/assets', '/none', '/%', '/%00'])(
    'does not serve %s',
    async (path) => {
      const { port } = await withSite();
      const status = await new Promise((resolve) => {
        // Not fetch, which would clean the path first.
        request({ port, host: '127.0.0.1', path }, (response) => {
          resolve(response.resume().statusCode);
        }).end();
      });
      expect(status).toBe(404);
    },
  );

  it('does not stand before a route of the HTTP API', async () => {
    const { url } = await withSite();
    expect(await (await fetch(`${url}/hello`)).text()).toBe('GET /hello');
  });
});
