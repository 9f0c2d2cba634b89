import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { connect } from '../../../client/index.ts';
import { Queue } from '../../queue.ts';
import { type Browser, startBrowser } from '../chromium.ts';
import type { Stack } from '../stack.ts';
import { startSynthesised } from '../synthesised-stack.ts';
import { type OldPage, openPage } from './page.ts';
import { type PageServer, startPageServer } from './page-server.ts';

const listeners = path.join(
  import.meta.dirname,
  '../../../examples/compatibility/server-endpoint/listeners.ts',
);

let stack: Stack;
let pages: PageServer;
let browser: Browser;
beforeAll(async () => {
  [stack, pages, browser] = await Promise.all([
    startSynthesised({ listeners }, () => undefined),
    startPageServer(),
    startBrowser(),
  ]);
});
afterAll(async () => {
  await browser.close();
  await pages.close();
  await stack.close();
});

async function open(server: string): Promise<OldPage> {
  const page = await openPage({ browser, pages }, 'server-endpoint.html', server);
  await page.tab.waitForFunction('page.socket.readyState === 1');
  return page;
}

describe('the page of the tutorial on @ServerEndpoint', () => {
  it('tells everybody what one of them sends, itself too, and users of our client', async () => {
    const page = await open(await stack.webSocketUrl({ user: 'ann' }));
    const other = await open(await stack.webSocketUrl({ user: 'ben' }));
    const address = new URL(await stack.webSocketUrl({ user: 'cat', type: 'web' }));
    const client = connect({
      url: `${address.origin}${address.pathname}`,
      token: address.searchParams.get('token') ?? '',
      WebSocket,
      durable: false,
    });
    const received = new Queue<unknown>();
    client.on('text-message', (content) => received.push(content));
    await client.send('text-message', { text: 'I am here' });
    expect(await received.next()).toEqual({ text: 'I am here' });
    for (const each of [page, other]) await each.shows('seen', ['I am here']);
    await page.click('changed');
    for (const each of [page, other]) await each.shows('seen', ['I am here', 'changed']);
    expect(await received.next()).toEqual({ text: 'changed' });
    await client.close();
  });

  it('is told by a service that data has changed', async () => {
    const page = await open(await stack.webSocketUrl({ user: 'dan' }));
    const { body } = await stack.publish({ to: 'user:member:dan', text: 'todoStatus' });
    expect(body).toMatchObject({ delivered: 1 });
    await page.shows('seen', ['todoStatus']);
  });
});
