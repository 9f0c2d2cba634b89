import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, startBrowser } from '../chromium.ts';
import { graveViolations, overflow } from '../axe.ts';
import { signToken, type Stack, startStack } from '../stack.ts';

let stack: Stack;
let browser: Browser;
beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), startBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await stack.close();
});

/** What the browsers wrote to their consoles: a violation of the policy is an error there. */
const complaints: string[] = [];
afterEach(async () => {
  for (const page of browser.context.pages().slice(1)) await page.close();
  expect(complaints).toEqual([]);
});

const user = (id: string, further: Readonly<Record<string, unknown>> = {}) => ({
  user: id,
  type: 'member',
  tenant: 'default',
  topics: ['chat.room.*'],
  ttlSeconds: 600,
  claims: { name: id.charAt(0).toUpperCase() + id.slice(1), ...further },
});

async function openChat(id: string, further?: Readonly<Record<string, unknown>>): Promise<Page> {
  const page = await browser.context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${stack.url}/chat/#token=${await signToken(user(id, further))}`);
  await page.getByText('Loading …').first().waitFor({ state: 'hidden' });
  return page;
}

const field = (page: Page) => page.getByRole('textbox', { name: 'Message' });
const send = (page: Page) => page.getByRole('button', { name: 'Send', exact: true }).click();

async function write(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await send(page);
}

/** Opens a private conversation by the name of the other person. */
async function writeTo(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'New chat' }).click();
  await page.getByRole('button', { name, exact: true }).click();
  await page.getByRole('heading', { name, exact: true }).waitFor();
}

const bubble = (page: Page, text: string) => page.locator('.message', { hasText: text });
const entry = (page: Page, title: string) =>
  page.locator('.entry', { has: page.locator('.entry-title', { hasText: title }) });

describe('the page of the chat', () => {
  it('lets two people write, see each other type and read, and recall', async () => {
    const ben = await openChat('ben');
    const ada = await openChat('ada');
    await writeTo(ada, 'Ben');
    await write(ada, 'Hello <b>Ben</b>');
    await entry(ben, 'Ada').getByText('1 unread').waitFor();
    await entry(ben, 'Ada').click();
    await bubble(ben, 'Hello <b>Ben</b>').waitFor();
    await bubble(ada, 'Hello <b>Ben</b>').getByText('Read', { exact: true }).waitFor();
    await expect.poll(() => entry(ben, 'Ada').getByText('unread').count()).toBe(0);

    await field(ben).pressSequentially('Hi');
    await ada.getByText('Ben is typing …').waitFor();
    await send(ben);
    await bubble(ada, 'Hi').waitFor();
    await ada.getByText('Ben is typing …').waitFor({ state: 'hidden' });

    await write(ada, 'I should not have said this');
    await bubble(ben, 'I should not').waitFor();
    await bubble(ada, 'I should not').hover();
    await bubble(ada, 'I should not').getByRole('button').click();
    await ada.getByRole('heading', { name: 'Read by 1 of 1' }).waitFor();
    await ada.getByRole('button', { name: 'Recall' }).click();
    await bubble(ada, 'You recalled this message').waitFor();
    await bubble(ben, 'Recalled').waitFor();
    await ben.reload();
    await bubble(ben, 'Recalled').waitFor();
    expect(await ben.getByText('I should not').count()).toBe(0);
  });

  it('sends what is written offline once, in order, also after a reload', async () => {
    const phone = await stack.connect(user('otto'));
    await phone.ask({ type: 'chat-conversation-list', id: '1', content: {} });
    const fay = await openChat('fay');
    await writeTo(fay, 'Otto');
    await fay.context().setOffline(true);
    await fay.getByText('You are offline').waitFor();
    for (const text of ['first', 'second', 'third']) await write(fay, text);
    await expect.poll(() => fay.getByText('Sending …').count()).toBe(3);
    await fay.context().setOffline(false);
    const texts: unknown[] = [];
    while (texts.length < 3) {
      const { type, content } = await phone.next();
      if (type === 'chat-message') texts.push((content as { text: string }).text);
    }
    expect(texts).toEqual(['first', 'second', 'third']);
    await expect.poll(() => fay.getByText('Sending …').count()).toBe(0);
    expect(await fay.locator('.message .text').allTextContents()).toEqual(['first', 'second', 'third']);
    await fay.reload();
    await bubble(fay, 'third').waitFor();
    expect(await fay.locator('.message').count()).toBe(3);
  });

  it('says why a message is refused, tries it again, and forgets it', async () => {
    const phone = await stack.connect(user('quinn'));
    await phone.ask({ type: 'chat-conversation-list', id: '1', content: {} });
    const types = [
      'chat-conversation-*',
      'chat-private-*',
      'chat-member-*',
      'chat-person-*',
      'chat-message-list',
    ];
    const pia = await openChat('pia', { send: types });
    await writeTo(pia, 'Quinn');
    await write(pia, 'May I?');
    await bubble(pia, 'May I?').getByText('Not sent:').waitFor();
    await bubble(pia, 'May I?').getByRole('button', { name: 'Retry' }).click();
    await bubble(pia, 'May I?').getByText('Not sent:').waitFor();
    await bubble(pia, 'May I?').getByRole('button', { name: 'Delete' }).click();
    await pia.getByText('No messages yet.').waitFor();
    expect(await pia.locator('.message').count()).toBe(0);
  });

  it('makes a group, manages it, and forgets it for who is removed', async () => {
    const ida = await openChat('ida');
    const hal = await openChat('hal');
    await hal.getByRole('button', { name: 'New group' }).click();
    const dialog = hal.getByRole('dialog', { name: 'New group' });
    await dialog.getByLabel('Name').fill('Climbers');
    await dialog.getByLabel('Ida').check();
    await dialog.getByRole('button', { name: 'Create group' }).click();
    await hal.getByRole('heading', { name: 'Climbers' }).waitFor();
    await entry(ida, 'Climbers').click();
    await write(ida, 'Count me in');
    await bubble(hal, 'Count me in').getByText('Ida').waitFor();

    await hal.getByRole('button', { name: 'Details' }).click();
    const details = hal.getByRole('dialog', { name: 'Details' });
    await details.getByLabel('Name', { exact: true }).fill('Walkers');
    await details.getByRole('button', { name: 'Rename' }).click();
    await ida.getByRole('heading', { name: 'Walkers' }).waitFor();
    await hal.getByRole('button', { name: 'Details' }).click();
    await details.getByRole('button', { name: 'Remove Ida' }).click();
    await entry(ida, 'Walkers').waitFor({ state: 'hidden' });
    await ida.getByText('Choose a conversation, or begin one.').waitFor();
  });

  it('joins a room, where a message of a room arrives and one without members does not', async () => {
    const kim = await openChat('kim');
    await kim.getByRole('button', { name: 'Rooms' }).click();
    await kim.getByLabel('Name of a new room').fill('Town Hall!');
    await kim.getByRole('button', { name: 'Create room' }).click();
    await kim.getByRole('heading', { name: 'Town Hall!' }).waitFor();
    const lea = await openChat('lea');
    await lea.getByRole('button', { name: 'Rooms' }).click();
    await lea.getByRole('button', { name: 'Join Town Hall!' }).click();
    await lea.getByText('Room · 2 members').waitFor();
    await kim.getByText('Room · 2 members').waitFor();
    await write(lea, 'Good evening');
    await bubble(kim, 'Good evening').waitFor();
  });

  it('asks who has no token for one', async () => {
    const page = await browser.context.newPage();
    await page.goto(`${stack.url}/chat/`);
    await page.getByLabel('Token').fill('garbage');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This is not a token.').waitFor();
    expect([await overflow(page), await graveViolations(page)]).toEqual([0, []]);
    await page.getByLabel('Token').fill(await signToken(user('una')));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('No conversations yet.').waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'is accessible and fits every width in the %s scheme',
    async (scheme) => {
      const page = await openChat('ada');
      await page.emulateMedia({ colorScheme: scheme });
      const check = async (width: number) => {
        await page.setViewportSize({ width, height: 720 });
        expect([width, await overflow(page), await graveViolations(page)]).toEqual([width, 0, []]);
      };
      for (const width of [320, 390, 1280]) await check(width);
      await entry(page, 'Ben').click();
      await bubble(page, 'Hello').waitFor();
      for (const width of [320, 390, 1280]) await check(width);
      await page.getByRole('button', { name: 'Details' }).click();
      await page.getByRole('dialog').getByText('Ben').waitFor();
      for (const width of [320, 1280]) await check(width);
    },
  );
});
