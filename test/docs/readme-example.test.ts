import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Browser, buildPage, startBrowser } from '../e2e/chromium.ts';
import { signToken, type Stack, startStack } from '../e2e/stack.ts';
import { codeBlocks, readPage } from './documents.ts';

const example = codeBlocks(readPage('README.md')).find(({ code }) => code.includes("'@switchboard/client'"));
const localUrl = 'ws://127.0.0.1:8080/live';

let browser: Browser;
let stack: Stack;
let site: Awaited<ReturnType<typeof buildPage>>;
beforeAll(async () => {
  // The page gets the address of this cloud before its own code runs.
  site = await buildPage(
    (example?.code ?? '').replace(`'${localUrl}'`, 'location.origin.replace("http", "ws") + "/live"'),
  );
  [stack, browser] = await Promise.all([startStack({ site: site.folder }), startBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await stack.close();
  await site.remove();
});

it('the example in README.md works in a browser as described', async () => {
  expect(example?.code).toContain(localUrl);
  const page = await browser.context.newPage();
  const printed: string[] = [];
  page.on('console', (message) => printed.push(message.text()));
  const request = { user: '42', type: 'member', tenant: 'default', topics: ['orders.*'], ttlSeconds: 600 };
  await page.route('**/token', async (route) => route.fulfill({ body: await signToken(request) }));
  await page.goto(stack.url);

  const subscribed = { to: 'topic:orders.eu', type: 'order', content: { id: 1 }, durable: true };
  await expect
    .poll(async () => ((await stack.publish(subscribed)).body as { delivered: number }).delivered, {
      timeout: 15_000,
    })
    .toBe(1);
  await stack.publish({ to: 'user:member:42', type: 'notice-push', content: { title: 'hi' } });
  const lines = ['notice: hi', expect.stringMatching(/^order \d+$/), expect.stringContaining('delivered')];
  await expect.poll(() => printed, { timeout: 15_000 }).toEqual(expect.arrayContaining(lines));
});
