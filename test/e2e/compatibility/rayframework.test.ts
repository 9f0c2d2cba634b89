import path from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Rayim } from '../../../examples/compatibility/rayframework/rayim.ts';
import { type Browser, startBrowser } from '../chromium.ts';
import { Client } from '../client.ts';
import { type Stack, stackSecret } from '../stack.ts';
import { startSynthesised } from '../synthesised-stack.ts';
import { type OldPage, openPage } from './page.ts';
import { type PageServer, startPageServer } from './page-server.ts';

const base = '/api/system/utility/rayim';
const listeners = path.join(import.meta.dirname, '../../../examples/compatibility/rayframework/listeners.ts');

let stack: Stack;
let pages: PageServer;
let browser: Browser;
beforeAll(async () => {
  [stack, pages, browser] = await Promise.all([
    startSynthesised(
      {
        listeners,
        tokenParameter: 'rayAccessToken',
        tokenClaims: { userId: 'staffId', tenant: 'corporationId' },
      },
      ({ switchboard: realtime }) => new Rayim(realtime, 'Rayim', { realtime }),
    ),
    startPageServer(),
    startBrowser(),
  ]);
});
afterAll(async () => {
  await browser.close();
  await pages.close();
  await stack.close();
});

const clients: Client[] = [];
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.terminate();
  for (const tab of browser.context.pages().slice(1)) await tab.close();
  await expect
    .poll(() => stack.call('GET', '/sessions?tenant=0'), { timeout: 15_000 })
    .toMatchObject({ body: { sessions: [] } });
  const { body } = await stack.call('GET', `${base}/waiter/list?corporationId=0`);
  for (const waiter of (body as { waiters: string[] }).waiters) {
    const [userType, staffId] = waiter.split(':');
    await stack.call('POST', `${base}/waiter/register/remove`, { staffId, userType, corporationId: 0 });
  }
});

/** The address with a token as RayFramework issues it. `aud`, `sub` and the other claims say nothing here. */
async function addressOf(staffId: number, userType?: string): Promise<string> {
  const token = await new SignJWT({
    ...{ aud: '1', sub: 'uniframework', staffCode: 'someone', corporationId: 0, identityId: 3 },
    ...{ departmentId: 1, fromHost: '192.0.2.1', staffId, domainId: 1 },
    ...(userType !== undefined && { userType }),
  })
    .setProtectedHeader({ typ: 'JWT', alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(stackSecret));
  return `${stack.url.replace('http', 'ws')}/live?rayAccessToken=${token}`;
}

/** A page in Chromium. It is open when this resolves. */
async function openRay(page: 'ray-text.html' | 'ray-pictures.html', staffId: number): Promise<OldPage> {
  const opened = await openPage({ browser, pages }, page, await addressOf(staffId));
  await opened.tab.waitForFunction('socket.readyState === 1');
  return opened;
}

/** A user of frames, as our client sends and reads them. */
async function connectAgent(staffId: number): Promise<Client> {
  const client = await Client.open(await addressOf(staffId, 'agent'));
  clients.push(client);
  return client;
}

const register = (staffId: number | string, userType = 'member') =>
  stack.call('POST', `${base}/waiter/register/auto`, { staffId, userType, corporationId: 0 });

const texts = (page: OldPage) => page.tab.locator('#main p').allTextContents();

describe('the page of RayFramework that sends text', () => {
  it('reaches every waiter with its text as it is, and shows what it gets', async () => {
    const page = await openRay('ray-text.html', 1);
    const waiter = await openRay('ray-text.html', 2);
    const agent = await connectAgent(3);
    await register(2);
    expect(await register(3, 'agent')).toEqual({
      status: 200,
      body: { waiters: ['agent:3', 'member:2'] },
    });
    await page.click('send');
    await waiter.shows('seen', ['123']);
    expect(await agent.next()).toMatchObject({
      type: 'rayim-message',
      content: { code: 1, msg: '123' },
      from: { tenant: '0', userType: 'member', userId: '1' },
    });
    await page.fill('msg', 'rayHeartBeat');
    await page.click('send');
    await page.shows('seen', ['rayImHeartBeatFeedback']);
  });

  it('is told if nobody is on duty', async () => {
    const page = await openRay('ray-text.html', 1);
    await page.click('send');
    await page.shows('seen', ['{"code":1,"msg":"Nobody is on duty."}']);
    // A waiter who is offline is not on duty either.
    await register(99);
    await page.fill('msg', 'still there?');
    await page.click('send');
    await expect.poll(() => page.items('seen')).toHaveLength(2);
  });
});

describe('the page of RayFramework that sends pictures', () => {
  it('exchanges text with waiters on its own page and on frames', async () => {
    const [page, waiter] = [await openRay('ray-pictures.html', 1), await openRay('ray-pictures.html', 2)];
    const agent = await connectAgent(3);
    await register(2);
    await register(3, 'agent');
    await page.fill('text', 'hello');
    await page.click('send');
    await expect.poll(() => texts(waiter)).toEqual(['hello']);
    expect(await agent.next()).toMatchObject({ content: { code: 1, msg: 'hello' } });
    // An object, and JSON text, as the content of a frame.
    const toOne = { msg: 'how can I help?', toStaffId: '1' };
    expect(await agent.ask({ type: 'rayim-message', id: '1', content: toOne })).toMatchObject({
      content: { isReached: true },
    });
    await expect.poll(() => texts(page)).toEqual(['how can I help?']);
    const all = JSON.stringify({ code: 1, msg: 'mine' });
    await agent.ask({ type: 'rayim-message', id: '2', content: all });
    await expect.poll(() => texts(waiter)).toEqual(['mine', 'hello']);
    expect(await texts(page)).toEqual(['how can I help?']);
  });

  it('shows a picture of 20 KB, and loses its connection by one of 40 KB', async () => {
    const [page, waiter] = [await openRay('ray-pictures.html', 1), await openRay('ray-pictures.html', 2)];
    await register(2);
    const choose = (bytes: number) =>
      page.tab.locator('#file').setInputFiles({
        name: 'a.png',
        mimeType: 'image/png',
        buffer: Buffer.alloc(bytes, 7),
      });
    await choose(20_000);
    const picture = `data:image/png;base64,${Buffer.alloc(20_000, 7).toString('base64')}`;
    await expect.poll(() => waiter.tab.locator('#main img').getAttribute('src')).toBe(picture);
    await choose(40_000);
    await page.shows('seen', ['closed 1009']);
  });

  it('takes a picture of 90 KB by POST /messages, which the page of docs/migrate.md sends', async () => {
    const waiter = await openRay('ray-pictures.html', 2);
    await register(2);
    const msg = `data:image/png;base64,${Buffer.alloc(90_000, 7).toString('base64')}`;
    const token = new URL(await addressOf(1)).searchParams.get('rayAccessToken') ?? '';
    const response = await fetch(`${stack.url}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ code: 2, msg }),
    });
    expect(response.status).toBe(200);
    await expect.poll(() => waiter.tab.locator('#main img').getAttribute('src')).toBe(msg);
  });

  it('has its heartbeat answered', async () => {
    const page = await openRay('ray-pictures.html', 1);
    await page.tab.evaluate('beat()');
    await page.shows('seen', ['heartbeat']);
  });
});

describe("RayFramework's requests", () => {
  it('send to one account, to several and to all', async () => {
    const [one, two] = [await openRay('ray-pictures.html', 1), await openRay('ray-pictures.html', 2)];
    const agent = await connectAgent(3);
    const spec = (body: object) => stack.call('POST', `${base}/sender/spec`, { corporationId: 0, ...body });
    expect(await spec({ staffId: 1, msg: 'for you' })).toMatchObject({ status: 200, body: { delivered: 1 } });
    await expect.poll(() => texts(one)).toEqual(['for you']);
    await spec({ staffId: [1, '2'], msg: 'for both' });
    await expect.poll(() => texts(two)).toEqual(['for both']);
    expect(
      await stack.call('POST', `${base}/sender/all`, { corporationId: 0, msg: 'for all' }),
    ).toMatchObject({ body: { pages: { delivered: 2 }, frames: { delivered: 1 } } });
    await expect.poll(() => texts(one)).toEqual(['for all', 'for both', 'for you']);
    expect(await agent.next()).toMatchObject({
      type: 'rayim-message',
      content: { code: 1, msg: 'for all' },
    });
  });

  it('remove a waiter, who then gets nothing', async () => {
    const page = await openRay('ray-text.html', 1);
    const agent = await connectAgent(3);
    await register(3, 'agent');
    const gone = { staffId: 3, userType: 'agent', corporationId: 0 };
    expect(await stack.call('POST', `${base}/waiter/register/remove`, gone)).toEqual({
      status: 200,
      body: { waiters: [] },
    });
    await page.click('send');
    await expect.poll(() => page.items('seen')).toHaveLength(1);
    await agent.expectSilence();
  });

  it.each([
    ['sender/spec', {}],
    ['sender/spec', { staffId: 'a b', msg: 'x' }],
    ['sender/all', { code: 3, msg: 'x' }],
    ['sender/all', '{'],
    ['waiter/register/auto', { staffId: 1.5 }],
  ])('that are wrong are 400: %s %j', async (route, body) => {
    expect(await stack.call('POST', `${base}/${route}`, body)).toMatchObject({
      status: 400,
      body: { message: expect.any(String) as string },
    });
  });

  it('need a signature', async () => {
    const response = await fetch(`${stack.url}${base}/sender/all`, { method: 'POST', body: '{"msg":"x"}' });
    expect(response.status).toBe(403);
  });
});

it('only a waiter may answer an account by a frame', async () => {
  const agent = await connectAgent(3);
  const content = { msg: 'x', toStaffId: '1' };
  expect(await agent.ask({ type: 'rayim-message', id: '1', content })).toMatchObject({
    type: 'error',
    content: { code: 'forbidden' },
  });
});
