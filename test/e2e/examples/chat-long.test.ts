import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, startBrowser } from '../chromium.ts';
import { signToken, type Stack, startStack } from '../stack.ts';
import { seedMessages } from './seed.ts';

let stack: Stack;
let browser: Browser;
beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), startBrowser()]);
  await seedMessages(stack.cloud, 10_000);
});
afterAll(async () => {
  await browser.close();
  await stack.close();
});

describe('a conversation of 10,000 messages', () => {
  it('is shown by a window that follows the scroll position', async () => {
    const dan = await browser.context.newPage();
    const token = await signToken({
      user: 'dan',
      type: 'member',
      tenant: 'default',
      topics: [],
      ttlSeconds: 600,
    });
    await dan.goto(`${stack.url}/chat/#token=${token}`);
    await dan.locator('.entry').click();
    const bubble = (text: string) => dan.locator('.message', { hasText: text });
    await bubble('Message 10000.').waitFor();
    // All is loaded, so nothing else makes the page show the messages anew.
    await dan.locator('.state', { hasText: 'Read' }).first().waitFor();
    // As a phone's keyboard does.
    await dan.setViewportSize({ width: 390, height: 400 });
    const isInView = () =>
      dan.evaluate<boolean>(
        `[...document.querySelectorAll('.message')].at(-1).getBoundingClientRect().bottom <= document.getElementById('scroll').getBoundingClientRect().bottom`,
      );
    await expect.poll(isInView, { timeout: 5000 }).toBe(true);
    const isShown = (text: string) =>
      dan.evaluate<boolean>(
        `[...document.querySelectorAll('.text')].some((text) => text.textContent.startsWith('${text}'))`,
      );
    // As the wheel does, step by step.
    while (!(await isShown('Message 9000.'))) {
      await dan.evaluate('document.getElementById("scroll").scrollTop -= 600');
      await dan.evaluate('new Promise(requestAnimationFrame)');
    }
    expect(await dan.locator('.message').count()).toBeLessThanOrEqual(240);
    expect(await isShown('Message 10000.')).toBe(false);
    await dan.getByRole('button', { name: 'Newest messages' }).click();
    await bubble('Message 10000.').waitFor();
  });
});
