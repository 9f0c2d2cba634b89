import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { type Browser, buildPage, startBrowser } from '../chromium.ts';
import { openTab } from '../devtools.ts';
import { type ClientPage, clientPageCode, openClientPage } from './page.ts';
import { startStack, type Stack } from '../stack.ts';

let browser: Browser;
let site: Awaited<ReturnType<typeof buildPage>>;
let data: string;
let stack: Stack;
beforeAll(async () => {
  [browser, site, data] = await Promise.all([
    startBrowser(),
    buildPage(clientPageCode),
    mkdtemp(path.join(os.tmpdir(), 'switchboard-data-')),
  ]);
  stack = await startStack({ site: site.folder, dataDir: data });
});
afterAll(async () => {
  await browser.close();
  await stack.close();
  await site.remove();
  await rm(data, { recursive: true, force: true });
});

let page: Page;
let client: ClientPage;
let user: string;
let users = 0;
beforeEach(async () => {
  user = `page-${String((users += 1))}`;
  page = await browser.context.newPage();
  client = await openClientPage(page, stack.url, user);
  await client.becomes('open');
  return () => page.close();
});

async function sessions(): Promise<unknown[]> {
  const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
  return (body as { sessions: unknown[] }).sessions;
}

function publish(content: unknown, differing: Record<string, unknown> = {}) {
  return stack.publish({ to: `user:member:${user}`, type: 'note', content, durable: true, ...differing });
}

describe('the client in Chromium', () => {
  it('reconnects when the server is back, and gets each missed message once', async () => {
    await publish('before');
    await expect.poll(() => client.notes()).toEqual(['before']);
    const { port } = stack.cloud;
    await stack.close();
    await client.becomes('reconnecting');
    const sent = client.send('demo-message-send', { text: 'x', toUserId: 'nobody' });
    stack = await startStack({ site: site.folder, dataDir: data, port });
    await publish('while away');
    await client.becomes('open');
    expect(await sent).toMatchObject({ status: 'delivered' });
    await publish('after');
    await expect.poll(() => client.notes()).toEqual(['before', 'while away', 'after']);
  });

  it('pauses while the page is offline, and recovers when it is online again', async () => {
    await browser.context.setOffline(true);
    await client.becomes('paused');
    await expect.poll(sessions).toEqual([]);
    for (const content of [1, 2, 3]) await publish(content);
    expect(await client.notes()).toEqual([]);
    await browser.context.setOffline(false);
    await expect.poll(() => client.notes()).toEqual([1, 2, 3]);
    await expect.poll(() => client.states()).toEqual(['open', 'paused', 'reconnecting', 'open']);
  });

  it('disconnects when its tab is frozen, and recovers when the tab resumes', async () => {
    user = 'frozen';
    const { searchParams } = new URL(await stack.webSocketUrl({ user }));
    const tab = await openTab(`${stack.url}/#${searchParams.get('token') ?? ''}`);
    const evaluated = (expression: string) =>
      expect.poll(() => tab.evaluate(expression), { timeout: 15_000 });
    try {
      await evaluated('window.states?.at(-1)').toBe('open');
      await tab.send('Page.setWebLifecycleState', { state: 'frozen' });
      await expect.poll(sessions).toEqual([]);
      for (const content of [1, 2, 3]) await publish(content);
      await tab.send('Page.setWebLifecycleState', { state: 'active' });
      await evaluated('window.notes').toEqual([1, 2, 3]);
      await evaluated('window.states').toEqual(['open', 'paused', 'reconnecting', 'open']);
    } finally {
      await tab.close();
    }
  });

  it('disconnects when its page is left, and reconnects when the page is back', async () => {
    await page.goto('about:blank');
    await expect.poll(sessions).toEqual([]);
    await page.goBack();
    await expect.poll(async () => (await sessions()).length).toBe(1);
    await publish('back');
    await expect.poll(() => client.notes()).toEqual(['back']);
  });

  it('extends its session with a new token before the old one expires', async () => {
    await page.close();
    page = await browser.context.newPage();
    client = await openClientPage(page, stack.url, user, [11, 3600]);
    await client.becomes('open');
    const until = async () =>
      ((await sessions()) as { tokenExpiresAt: number }[]).at(-1)?.tokenExpiresAt ?? 0;
    const first = await until();
    await expect.poll(until, { timeout: 15_000 }).toBeGreaterThan(first + 3_000_000);
    expect(await client.states()).toEqual(['open']);
    expect(await client.send('demo-message-send', { text: 'x' })).toMatchObject({
      status: 'delivered',
    });
  });
});
