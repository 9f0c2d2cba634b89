import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHttpServer } from '../../local/http-server.ts';
import { createLog } from '../../local/log.ts';
import { httpStack } from './harness/http-stack.ts';
import { runCloud } from './harness/running-cloud.ts';
import { webSocketStack } from './harness/websocket-stack.ts';

const stack = {
  ...httpStack({
    routes: { 'ANY /hello': { body: 'return { statusCode: 200, body: event.body ?? "none" };' } },
  }),
  ...webSocketStack({ routes: { $connect: {} } }),
};

/** Opens a socket. `ask` writes a request and gives the bytes that come back, up to a match. */
function openSocket(port: number) {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  return {
    ask: (request: string, until: RegExp): Promise<string> =>
      new Promise((resolve, reject) => {
        let text = '';
        const read = (data: Buffer): void => {
          text += data.toString();
          if (!until.test(text)) return;
          socket.off('data', read).off('error', reject);
          resolve(text);
        };
        socket.on('error', reject).on('data', read);
        socket.write(request.replaceAll('\n', '\r\n'));
      }),
  };
}

it('the HTTP server answers 503 until it is ready', async () => {
  const server = await startHttpServer(
    0,
    createLog(() => 0),
  );
  onTestFinished(() => server.close());
  expect((await fetch(`http://127.0.0.1:${String(server.port)}/_local/health`)).status).toBe(503);
});

describe('a request to upgrade to another protocol than WebSocket', () => {
  const h2c =
    'Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA';

  it('gets its answer over HTTP/1.1 (RFC 9110, 7.8)', async () => {
    const { port } = await runCloud(stack);
    const text = await openSocket(port).ask(`GET /hello HTTP/1.1\nHost: 127.0.0.1\n${h2c}\n\n`, /none$/);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('keeps its body, and its connection stays open', async () => {
    const { port } = await runCloud(stack);
    const post = (body: string) =>
      `POST /hello HTTP/1.1\nHost: 127.0.0.1\nContent-Type: text/plain\nContent-Length: ${String(body.length)}\n${h2c}\n\n${body}`;
    const socket = openSocket(port);
    expect(await socket.ask(post('first'), /first$/)).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(await socket.ask(post('second'), /second$/)).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('may come from curl --http2, and the function gets no header of the upgrade', async () => {
    const { url, events } = await runCloud(stack);
    const flags = [
      '-s',
      '--http2',
      '-H',
      'content-type: text/plain',
      '-d',
      'from curl',
      '-w',
      ' %{http_version}',
    ];
    expect((await promisify(execFile)('curl', [...flags, `${url}/hello`])).stdout).toBe('from curl 1.1');
    const { headers } = await events('F0').next();
    expect(headers).not.toHaveProperty('upgrade');
    expect(headers).not.toHaveProperty('http2-settings');
  });

  it('is answered 426 at the address of a WebSocket API', async () => {
    const { port } = await runCloud(stack);
    const text = await openSocket(port).ask(`GET /live HTTP/1.1\nHost: 127.0.0.1\n${h2c}\n\n`, /\}$/);
    expect(text).toMatch(/^HTTP\/1\.1 426 /);
  });
});

describe('a refused WebSocket handshake', () => {
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  const version = 'Sec-WebSocket-Version: 13';

  it.each([
    ['GET', '/live', version, 400, 'Sec-WebSocket-Key is missing or malformed'],
    ['GET', '/live', `${key}\nSec-WebSocket-Version: 7`, 400, 'Sec-WebSocket-Version is not 13'],
    ['POST', '/live', `${key}\n${version}`, 400, 'the method is not GET'],
    ['GET', '/other', `${key}\n${version}`, 403, 'no WebSocket API has this stage'],
    ['GET', `/${'x'.repeat(4096)}`, `${key}\n${version}`, 414, 'the URL has more than 4096 characters'],
  ])('%s %.10s logs its reason and runs no function', async (method, path, headers, status, reason) => {
    const cloud = await runCloud(stack);
    const handshake = `${method} ${path} HTTP/1.1\nHost: 127.0.0.1\nConnection: Upgrade\nUpgrade: websocket\n${headers}\n\n`;
    const text = await openSocket(cloud.port).ask(handshake, /\}$/);
    expect(text.slice(0, 13)).toBe(`HTTP/1.1 ${String(status)} `);
    const line = cloud.lines.find((each) => each.startsWith(`UPGRADE ${path} ${String(status)} `));
    expect(line).toMatch(new RegExp(` ms  ${reason}$`));
    expect(cloud.events('Connect').size).toBe(0);
  });
});
