import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, useEndpoint } from '../core/targets/endpoint.ts';
import { Client } from '../e2e/client.ts';
import { type Stack, stackSecret, startStack } from '../e2e/stack.ts';
import { codeBlocks, readPage, root, tableRows } from './documents.ts';
import { makeApp } from './own-app.ts';

const run = promisify(execFile);
const page = readPage('docs/migrate.md');
const blocks = codeBlocks(page);
const codeOf = (file: string) => blocks.find((block) => block.file === file)?.code ?? '';

const systems = ['yudao', 'rayframework', 'smart-web-socket', 'server-endpoint'];
const backend = useEndpoint();

/** The four apps of the page in one folder, with the folders that the page tells to copy. */
let app: string;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-migrate-'));
  const apps = systems.map((name) => ({ name, code: codeOf(`examples/${name}-app.ts`) }));
  app = makeApp(folder, [
    ...apps.map(({ name, code }) => ({
      ...{ language: 'ts', file: `${name}-app.ts` },
      code: code.replace(/https:[^']*\/login/, `${backend.url}/login`),
    })),
    { language: 'ts', file: 'synthesise.ts', code: synthesiseAll },
  ]);
  for (const copied of ['compatibility', 'demo']) {
    cpSync(path.join(root, 'examples', copied), path.join(app, copied), { recursive: true });
  }
  const verifier = path.join(app, 'functions/verify-token');
  mkdirSync(verifier, { recursive: true });
  writeFileSync(path.join(verifier, 'index.mjs'), codeOf('functions/verify-token/index.mjs'));
  // NodejsFunction looks for the lock file of the app.
  writeFileSync(path.join(app, 'package-lock.json'), '{}');
  await run(process.execPath, ['--import', 'tsx', 'synthesise.ts'], { cwd: app });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One process for all apps: the bundles of the functions are made once. Each app goes to the folder of CDK_OUTDIR. */
const synthesiseAll = `
for (const name of ${JSON.stringify(systems)}) {
  process.env.CDK_OUTDIR = name + '.out';
  await import('./' + name + '-app.ts');
}`;

const startApp = (name: string): Promise<Stack> => startStack({ assembly: path.join(app, `${name}.out`) });

/** What the page posts, by path: `POST /path` and the JSON that follows it. */
function requestsTo(route: RegExp): { path: string; body: unknown }[] {
  return [...page.matchAll(/`POST (\/\S+)`[^`]*`(\{.*?\})`/g)]
    .map(([, to = '', body = '']) => ({ path: to, body: JSON.parse(body) as unknown }))
    .filter(({ path: to }) => route.test(to));
}

describe('the figures of the heartbeat', () => {
  const seconds = 31 * 24 * 60 * 60;
  const dollars = (amount: number, digits: number) =>
    `$${amount.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;

  it('follow from the price of a message', () => {
    const rows = tableRows(page, 'interval', 'messages per page');
    const expected = rows.map(([interval = '']) => {
      const messages = (2 * seconds) / Number.parseInt(interval);
      const cost = messages / 1_000_000;
      return [interval, messages.toLocaleString('en-US'), dollars(cost, 2), dollars(1000 * cost, 0)];
    });
    expect(rows.length).toBe(5);
    expect(rows).toEqual(expected);
  });

  it('count two heartbeats within the ten minutes of API Gateway', () => {
    const [, interval = ''] = /interval: ([\d_]+)/.exec(page) ?? [];
    expect(2 * Number(interval.replaceAll('_', ''))).toBeLessThan(10 * 60_000);
  });
});

describe('the text of the page', () => {
  it.each(blocks.filter(({ language }) => language === 'js'))(
    'has a valid block: $code',
    async ({ code }) => {
      await expect(transform(code, { loader: 'js', format: 'esm' })).resolves.toBeDefined();
    },
  );

  it('has valid frames and bodies', () => {
    const objects = [...page.matchAll(/`(\{"[^`]*\})`/g)].map(([, text = '']) => text);
    expect(objects.length).toBeGreaterThan(10);
    for (const text of objects) expect(() => JSON.parse(text) as unknown, text).not.toThrow();
  });
});

describe('the requests of the page', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.close());

  it.each(requestsTo(/^\/publish$/))('publish $body', async ({ body }) => {
    expect(await stack.call('POST', '/publish', body)).toMatchObject({ status: 200 });
  });

  it.each(
    [...page.matchAll(/`(GET|DELETE) (\/sessions[/?]\S*)`/g)].map(([, method = '', to = '']) => [method, to]),
  )('%s %s are answered', async (method, to) => {
    const { status, body } = await stack.call(method, to);
    // Nobody is connected.
    expect(status, JSON.stringify(body)).toBe(to.includes('%3D') ? 404 : 200);
  });
});

describe('the app for yudao', () => {
  it('takes opaque tokens, and gives its pages JSON text', async () => {
    const stack = await startApp('yudao');
    const url = `${stack.url.replace('http', 'ws')}/live?token=opaque`;
    try {
      backend.respond = json({
        ...{ id: 1, userType: 2, tenantId: 1 },
        expiresAt: Math.floor(Date.now() / 1000) + 600,
      });
      const client = await Client.open(url);
      expect(await backend.requests.next()).toMatchObject({ headers: { authorization: 'Bearer opaque' } });
      const to = { to: 'user:2:1', tenant: '1' };
      await stack.publish({ ...to, type: 'notice-push', content: { title: 'hi' } });
      expect(await client.next()).toMatchObject({ content: '{"title":"hi"}' });
      client.send({ type: 'demo-message-send', content: '{"text":"hi","toUserId":"1"}' });
      expect(await client.next()).toMatchObject({ content: '{"fromUserId":"1","text":"hi","single":true}' });
      client.socket.terminate();
      backend.respond = (response) => response.writeHead(401).end();
      await expect(Client.open(url)).rejects.toThrow('403');
    } finally {
      await stack.close();
    }
  });
});

describe('the app for RayFramework', () => {
  it('takes its tokens, its requests and its heartbeat', async () => {
    const stack = await startApp('rayframework');
    try {
      const token = await new SignJWT({ staffId: 1, corporationId: 0, sub: 'uniframework' })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('1h')
        .sign(new TextEncoder().encode(stackSecret));
      const client = await Client.open(`${stack.url.replace('http', 'ws')}/live?rayAccessToken=${token}`);
      client.send('rayHeartBeat');
      expect(await client.nextText()).toBe('rayImHeartBeatFeedback');
      const requests = requestsTo(/^\/api\//);
      expect(requests).toHaveLength(3);
      for (const { path: to, body } of requests)
        expect(await stack.call('POST', to, body)).toMatchObject({ status: 200 });
      const said = '{"code":1,"msg":"hi"}';
      expect([await client.nextText(), await client.nextText()]).toEqual([said, said]);
      const [, list = ''] = /`GET (\/api\S+)`/.exec(page) ?? [];
      expect(await stack.call('GET', list)).toEqual({ status: 200, body: { waiters: ['member:1'] } });
      client.socket.terminate();
    } finally {
      await stack.close();
    }
  });
});

describe('the app for smart-web-socket', () => {
  it('takes the command of the page, and its frames', async () => {
    const stack = await startApp('smart-web-socket');
    try {
      const client = await stack.connect({ user: '1', topics: ['CC'] });
      const frames = [...page.matchAll(/`(\{"type":"(?:subscribe|topic-publish)".*?\})`/g)];
      const [subscribe = '', publish = ''] = frames.map(([, text]) => text);
      expect(await client.ask({ ...(JSON.parse(subscribe) as object), id: '1' })).toMatchObject({
        type: 'ack',
      });
      const command = blocks.find(({ code }) => code.startsWith('curl'))?.code ?? '';
      await run('bash', ['-c', command.replace('http://127.0.0.1:8080', stack.url)]);
      expect(await client.next()).toMatchObject({ type: 'topic-message', content: { text: 'hi' } });
      expect(await client.ask(publish)).toMatchObject({ type: 'topic-message', content: 'hi' });
    } finally {
      await stack.close();
    }
  });
});

describe('the app for a @ServerEndpoint', () => {
  it('broadcasts bare text, and lets guests in by ticket', async () => {
    const stack = await startApp('server-endpoint');
    const origin = 'http://localhost:3000';
    try {
      const member = await stack.connect({ user: '42' });
      member.send('changed');
      expect(await member.nextText()).toBe('changed');
      const script = path.join(app, 'guest.mjs');
      writeFileSync(script, codeOf('guest.mjs'));
      const env = { ...process.env, TOKEN_SECRET: stackSecret, HTTP_URL: stack.url, PAGE_ORIGIN: origin };
      const { stdout } = await run(process.execPath, [script], { env });
      const url = `${stack.url.replace('http', 'ws')}/live?token=${stdout.trim()}`;
      const guest = await Client.open(url, { origin });
      await stack.publish({ to: 'type:guest', text: 'welcome' });
      expect(await guest.nextText()).toBe('welcome');
      expect(await guest.ask('I talk too')).toMatchObject({ content: { code: 'forbidden' } });
      guest.socket.terminate();
    } finally {
      await stack.close();
    }
  });
});
