import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signToken } from '../../cli/sign-token.ts';
import { type Browser, startBrowser } from './chromium.ts';
import { startStack, type Stack } from './stack.ts';

let stack: Stack;
let browser: Browser;
beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), startBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await stack.close();
});

async function openPage(user: string): Promise<Page> {
  const page = await browser.context.newPage();
  const token = await signToken({ user, type: 'member', tenant: 'default', topics: [], ttlSeconds: 600 });
  await page.goto(stack.url);
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.getByText('connected', { exact: true }).waitFor();
  return page;
}

describe('the page at /', () => {
  it('connects two browsers and a ws client, sends a frame and shows received frames', async () => {
    const [ada, ben, node] = [
      await openPage('ada'),
      await openPage('ben'),
      await stack.connect({ user: 'node' }),
    ];
    await ada
      .getByRole('textbox', { name: 'Frame' })
      .fill('{"type":"demo-message-send","content":{"text":"to all"},"id":"7"}');
    await ada.getByRole('button', { name: 'Send' }).click();

    await ada.getByRole('listitem').filter({ hasText: '"type":"ack","id":"7"' }).waitFor();
    await ben.getByRole('listitem').filter({ hasText: '"text":"to all"' }).waitFor();
    expect(await node.next()).toMatchObject({ content: { fromUserId: 'ada', text: 'to all' } });

    await stack.publish({ to: 'user:member:ben', type: 'notice-push', content: { title: 'for ben' } });
    await ben.getByRole('listitem').filter({ hasText: 'for ben' }).waitFor();
    expect(await ada.getByText('for ben').count()).toBe(0);
  });

  it('leaves no session when its tab is closed', async () => {
    const page = await openPage('closes');
    const sessions = () => stack.call('GET', '/sessions?userType=member&userId=closes');
    expect((await sessions()).body).toMatchObject({ sessions: [{ userId: 'closes' }] });
    await page.close();
    await expect.poll(sessions).toEqual({ status: 200, body: { sessions: [] } });
  });

  it('shows that a token is refused', async () => {
    const page = await browser.context.newPage();
    await page.goto(`${stack.url}/#token=garbage`);
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText('refused: is the token right?').waitFor();
  });
});
