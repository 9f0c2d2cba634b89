import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readOrigins, refusalOf } from '../../local/loopback.ts';
import { httpStack } from './harness/http-stack.ts';
import { runCloud } from './harness/running-cloud.ts';
import { webSocketStack } from './harness/websocket-stack.ts';

const none = new Set<string>();
const host = '127.0.0.1:8080';

describe('a request with a Host', () => {
  it.each([
    ...['127.0.0.1', '127.0.0.1:1', 'localhost', 'LocalHost:8080', '[::1]', '[::1]:80', 'app.localhost:3000'],
    ...['abc123.execute-api.us-east-1.amazonaws.com', 's3.cn-north-1.amazonaws.com.cn', 'lambda.eu.api.aws'],
  ])('of this machine or of AWS passes: %s', (good) => {
    expect(refusalOf({ host: good }, none)).toBeUndefined();
  });

  it.each([
    ...[
      'evil.com',
      '127.0.0.1.evil.com',
      'localhost.evil.com',
      'evillocalhost',
      '127.0.0.1:80:80',
      '0.0.0.0',
    ],
    ...['127.0.0.2', '[::2]', '', 'localhost:', 'evil.com#localhost', 'evil.com/.localhost', 'a@localhost'],
    ...['evilamazonaws.com', 'x.amazonaws.com.evil.com', '.amazonaws.com/evil', 'evil.com:80.amazonaws.com'],
  ])('of another site is refused, as after DNS rebinding: %j', (bad) => {
    expect(refusalOf({ host: bad }, none)).toBe('The header Host must name this machine, such as 127.0.0.1.');
  });

  it('is refused without one', () => {
    expect(refusalOf({}, none)).toContain('Host');
  });
});

describe('a request with an Origin', () => {
  it.each([
    ...['http://localhost', 'https://localhost:5173', 'http://127.0.0.1:3000', 'http://[::1]:3000'],
    'http://app.localhost:3000',
  ])('of this machine passes: %s', (origin) => {
    expect(refusalOf({ host, origin }, none)).toBeUndefined();
  });

  it.each([
    ...['https://evil.example', 'null', '', 'file://', 'localhost', 'http://localhost.evil.example'],
    ...['https://localhost@evil.example', 'http://a, http://localhost', 'capacitor://localhost'],
    'https://abc123.execute-api.us-east-1.amazonaws.com',
  ])('of another site is refused: %j', (origin) => {
    expect(refusalOf({ host, origin }, none)).toBe(
      'The header Origin names a page of another site. Allow its origin with --allow-origin.',
    );
  });

  it('passes if exactly this origin is allowed', () => {
    const allowed = readOrigins(['https://App.example.com', 'capacitor://localhost']);
    for (const origin of ['https://app.example.com', 'capacitor://localhost'])
      expect(refusalOf({ host, origin }, allowed)).toBeUndefined();
    for (const origin of ['http://app.example.com', 'https://app.example.com:8443', 'https://a.example.com'])
      expect(refusalOf({ host, origin }, allowed)).toContain('Origin');
    expect(refusalOf({ host: 'app.example.com', origin: 'https://app.example.com' }, allowed)).toContain(
      'Host',
    );
  });

  it.each(['*', 'null', 'app.example.com', 'https://app.example.com/', 'https://*.example.com', ''])(
    'cannot be allowed by %j',
    (text) => {
      expect(() => readOrigins([text])).toThrow(
        `must be an origin such as https://app.example.com, got ${JSON.stringify(text)}`,
      );
    },
  );
});

describe('a cloud', () => {
  const stack = {
    ...httpStack({ routes: { 'ANY /hello': {} }, cors: { AllowOrigins: ['*'] } }),
    ...webSocketStack({ routes: { $connect: {} } }),
  };

  /** Sends headers as they are. fetch would set Host itself. */
  async function send(url: string, method: string, headers: Readonly<Record<string, string>>) {
    return new Promise<{ status: number | undefined; cors: unknown; body: string }>((resolve, reject) => {
      request(url, { method, headers }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => {
          const cors = response.headers['access-control-allow-origin'];
          resolve({ status: response.statusCode, cors, body });
        });
      })
        .on('error', reject)
        .end();
    });
  }

  it.each([
    ['GET', '/hello'],
    ['OPTIONS', '/hello'],
    ['GET', '/'],
    ['GET', '/_local/health'],
    ['PUT', '/_local/faults'],
    ['POST', '/live/@connections/abc='],
    ['POST', '/2015-03-31/functions/F0/invocations'],
    ['POST', '/'],
  ])('refuses strangers at every door: %s %s', async (method, path) => {
    const cloud = await runCloud(stack);
    for (const headers of [{ host: 'evil.com' }, { origin: 'https://evil.example' }, { origin: 'null' }]) {
      const { status, cors, body } = await send(cloud.url + path, method, headers);
      const { message } = JSON.parse(body) as { message: string };
      expect([status, cors]).toEqual([403, undefined]);
      expect(message).toMatch(/^The header (Host|Origin) /);
      expect(cloud.lines.at(-1)).toMatch(new RegExp(`^${method} \\S+ 403 .* ms  The header (Host|Origin) `));
    }
    expect(cloud.events('F0').size).toBe(0);
  });

  it('refuses a handshake of a stranger before a function runs', async () => {
    const cloud = await runCloud(stack);
    for (const headers of [{ host: 'evil.com' }, { origin: 'https://evil.example' }, { origin: 'null' }])
      expect(await cloud.connect('', [], headers).handshake).toBe(403);
    expect(cloud.events('Connect').size).toBe(0);
    expect(cloud.lines.at(-1)).toMatch(/^UPGRADE \/live 403 .* ms {2}The header Origin /);
    expect(await cloud.connect('', [], { origin: 'http://localhost:5173' }).handshake).toBe(101);
    expect(await cloud.connect('', [], { host: 'localhost:8080' }).handshake).toBe(101);
  });

  it('refuses a stranger that asks for another protocol', async () => {
    const cloud = await runCloud(stack);
    const upgrade = { connection: 'Upgrade', upgrade: 'h2c', host: 'evil.com' };
    expect((await send(`${cloud.url}/hello`, 'GET', upgrade)).status).toBe(403);
    expect(cloud.events('F0').size).toBe(0);
  });

  it('takes requests of an origin that the option allows', async () => {
    const cloud = await runCloud(stack, { allowOrigins: ['https://app.example.com'] });
    const headers = { origin: 'https://app.example.com' };
    expect(await send(`${cloud.url}/hello`, 'GET', headers)).toMatchObject({ status: 200, cors: '*' });
    expect(await cloud.connect('', [], headers).handshake).toBe(101);
  });

  it('does not start with an option that is no origin', async () => {
    await expect(runCloud(stack, { allowOrigins: ['*'] })).rejects.toThrow('must be an origin such as');
  });
});
