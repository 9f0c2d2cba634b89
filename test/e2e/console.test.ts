import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { listen } from '../local/harness/listen.ts';
import { changedAssembly, removeRoute, setTokenParameter, setVariable } from './changed-assembly.ts';
import { type Browser, startBrowser } from './chromium.ts';
import { signToken, type Stack, startStack } from './stack.ts';

let stack: Stack;
let browser: Browser;
beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), startBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await stack.close();
});

/** What the browser wrote to its console: a violation of the policy is an error there. */
const complaints: string[] = [];

async function openPage(user: string, url = stack.url): Promise<Page> {
  const page = await browser.context.newPage();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  const token = await signToken({ user, type: 'member', tenant: 'default', topics: [], ttlSeconds: 600 });
  await page.goto(url);
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
    expect(complaints).toEqual([]);
  });

  it('leaves no session when its tab is closed', async () => {
    const page = await openPage('closes');
    const sessions = () => stack.call('GET', '/sessions?userType=member&userId=closes');
    expect((await sessions()).body).toMatchObject({ sessions: [{ userId: 'closes' }] });
    await page.close();
    await expect.poll(sessions).toEqual({ status: 200, body: { sessions: [] } });
  });

  it('has its styles, and runs no script but its own', async () => {
    const page = await openPage('styled');
    const style = (selector: string, property: string) =>
      page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).${property}`);
    expect(await style('ol', 'listStyleType')).toBe('none');
    expect(complaints).toEqual([]);

    // What a fault of the page would let in.
    await page.evaluate(`
      window.violated = [];
      document.addEventListener('securitypolicyviolation', (event) => violated.push(event.effectiveDirective));
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.append(script);
      const image = document.createElement('img');
      image.setAttribute('onerror', 'window.ran = true');
      image.src = 'https://evil.example/x.png';
      document.body.append(image);
      fetch('https://evil.example/').catch(() => undefined);
    `);
    const directives = ['script-src-elem', 'script-src-attr', 'img-src', 'connect-src'];
    await expect
      .poll(() => page.evaluate<string[]>('violated'))
      .toEqual(expect.arrayContaining(directives) as string[]);
    expect(await page.evaluate('window.ran')).toBeUndefined();
  });

  it('cannot be framed by another page of this machine', async () => {
    const framing = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end(`<iframe src="${stack.url}/"></iframe>`);
    });
    const port = await listen(framing);
    onTestFinished(() => void framing.close());
    const page = await browser.context.newPage();
    const refused = new Promise((resolve) => page.on('console', (message) => resolve(message.text())));
    await page.goto(`http://127.0.0.1:${String(port)}/`);
    expect(await refused).toContain('frame-ancestors');
    await page.close();
  });

  it.each(['ticket', 'token'])(
    'connects to a stack with tokenParameter and connectWith: %s',
    async (entry) => {
      const assembly = await changedAssembly((template) => {
        setTokenParameter(template, 'access');
        setVariable(template, 'CONNECT_WITH', entry);
        if (entry === 'token') removeRoute(template, 'POST /tickets');
      });
      const other = await startStack({ assembly });
      onTestFinished(async () => {
        await other.close();
        await rm(assembly, { recursive: true, force: true });
      });
      const page = await openPage('renamed', other.url);
      expect(await other.call('GET', '/sessions?userType=member&userId=renamed')).toMatchObject({
        body: { sessions: [{ userId: 'renamed' }] },
      });
      await page.getByRole('button', { name: 'Disconnect' }).click();
      await page.getByText('closed with 1000').waitFor();
      await page.close();
    },
  );

  it('shows that a token is refused', async () => {
    const page = await browser.context.newPage();
    await page.goto(`${stack.url}/#token=garbage`);
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText('refused: is the token right?').waitFor();
  });
});
