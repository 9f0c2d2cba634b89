import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type Client, connect } from '../../../client/index.ts';
import { Queue } from '../../queue.ts';
import { type Browser, startBrowser } from '../chromium.ts';
import type { Stack } from '../stack.ts';
import { startSynthesised } from '../synthesised-stack.ts';
import { type OldPage, openPage } from './page.ts';
import { type PageServer, startPageServer } from './page-server.ts';

const root = path.join(import.meta.dirname, '../../..');
/** yudao's number of its administrators. */
const type = '2';

let stack: Stack;
let pages: PageServer;
let browser: Browser;
beforeAll(async () => {
  const listeners = path.join(root, 'examples/demo/listeners.ts');
  [stack, pages, browser] = await Promise.all([
    startSynthesised({ listeners, textContentFor: [type] }, () => undefined),
    startPageServer(),
    startBrowser(),
  ]);
});
afterAll(async () => {
  await browser.close();
  await pages.close();
  await stack.close();
});

/** A short heartbeat, so that the page reaches its second one while the test runs. */
const heartbeat = JSON.stringify({ message: 'ping', interval: 200, pongTimeout: 15_000 });

async function openYudao(user: string, options: Readonly<Record<string, string>> = {}): Promise<OldPage> {
  const url = await stack.webSocketUrl({ user, type });
  return openPage({ browser, pages }, 'yudao.html', url, { heartbeat, ...options });
}

interface Received {
  readonly fromUserId: string;
  readonly text: string;
  readonly single: boolean;
}

/** A user of our client. The type has `textContentFor`, so the token asks for JSON. */
async function connectOurs(user: string): Promise<{ client: Client; received: Queue<Received> }> {
  const address = new URL(await stack.webSocketUrl({ user, type, claims: { contentAs: 'json' } }));
  const client = connect({
    url: `${address.origin}${address.pathname}`,
    token: address.searchParams.get('token') ?? '',
    WebSocket,
    durable: false,
  });
  const received = new Queue<Received>();
  client.on('demo-message-receive', (content) => received.push(content as Received));
  await new Promise<void>((resolve) => {
    client.on('status', ({ state }) => state === 'open' && resolve());
  });
  return { client, received };
}

async function say(page: OldPage, text: string, to = ''): Promise<void> {
  await page.fill('to', to);
  await page.fill('text', text);
  await page.click('send');
}

describe('the page of yudao on @vueuse/core', () => {
  it('chats with pages of its kind and with our client, alone and in a group', async () => {
    const [page, other] = await Promise.all([openYudao('1'), openYudao('2')]);
    const ours = await connectOurs('3');
    for (const each of [page, other]) await each.shows('lines', ['connected']);

    await say(page, 'hi', '3');
    expect(await ours.received.next()).toEqual({ fromUserId: '1', text: 'hi', single: true });
    await ours.client.send('demo-message-send', { text: 'hello', toUserId: 1 });
    await page.shows('lines', ['connected', 'to you from 3: hello']);
    await say(other, 'all');
    expect(await ours.received.next()).toEqual({ fromUserId: '2', text: 'all', single: false });
    await page.shows('lines', ['connected', 'to you from 3: hello', 'to all from 2: all']);
    await other.shows('lines', ['connected', 'to all from 2: all']);
    await ours.client.send('demo-message-send', { text: 'everybody' });
    expect(await ours.received.next()).toMatchObject({ fromUserId: '3', text: 'everybody' });
    for (const each of [page, other])
      await expect.poll(async () => (await each.items('lines')).at(-1)).toBe('to all from 3: everybody');
    for (const each of [page, other]) expect(await each.items('faults')).toEqual([]);
    await ours.client.close();
  });

  it('shows a notice that a service publishes as an object', async () => {
    const page = await openYudao('4');
    await page.shows('lines', ['connected']);
    await stack.publish({ to: `type:${type}`, type: 'notice-push', content: { title: 'closed on Monday' } });
    await page.shows('lines', ['connected', 'notice: closed on Monday']);
    expect(await page.items('faults')).toEqual([]);
  });

  it('keeps its connection by the heartbeat, which is answered by pong', async () => {
    const url = await stack.webSocketUrl({ user: '5', type });
    const tab = await browser.context.newPage();
    const opened = tab.waitForEvent('websocket');
    await tab.goto(pages.address('yudao.html', url, { heartbeat }));
    const socket = await opened;
    const pongs = new Queue<unknown>();
    socket.on('framereceived', ({ payload }) => pongs.push(payload));
    expect([await pongs.next(), await pongs.next()]).toEqual(['pong', 'pong']);
  });

  it('reads closing without a fault, and connects again although it was kicked', async () => {
    const page = await openYudao('6');
    await page.shows('lines', ['connected']);
    await stack.call('DELETE', `/sessions?userType=${type}&userId=6`);
    await page.shows('lines', ['connected', 'unknown closing', 'connected']);
    expect(await page.items('faults')).toEqual([]);
    expect(page.faults).toEqual([]);
  });

  it('is refused from then on if its tokens are revoked', async () => {
    const page = await openYudao('7');
    await page.shows('lines', ['connected']);
    const refused = stack.lines.length;
    await stack.call('DELETE', `/sessions?userType=${type}&userId=7&revokeTokens=true`);
    await expect.poll(() => stack.lines.slice(refused).some((line) => line.includes('403'))).toBe(true);
    await page.shows('lines', ['connected', 'unknown closing']);
  });

  it('stays closed after a kick with the line that the migration page advises', async () => {
    const page = await openYudao('8', { advised: 'yes' });
    await page.shows('lines', ['connected']);
    await stack.call('DELETE', `/sessions?userType=${type}&userId=8`);
    await expect.poll(() => page.tab.locator('#status').textContent()).toBe('CLOSED');
    await page.tab.clock.fastForward(60_000);
    await page.shows('lines', ['connected', 'unknown closing']);
    expect(page.connections()).toBe(1);
    const { body } = await stack.call('GET', `/sessions?userType=${type}&userId=8`);
    expect(body).toMatchObject({ sessions: [] });
  });
});
