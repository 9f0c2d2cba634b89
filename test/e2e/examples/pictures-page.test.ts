import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { graveViolations, overflow } from '../axe.ts';
import { type Browser, startBrowser } from '../chromium.ts';
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
});

async function openPage(user: string): Promise<Page> {
  const page = await browser.context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  const token = await signToken({ user, type: 'member', tenant: 'default', topics: [], ttlSeconds: 600 });
  await page.goto(`${stack.url}/pictures/#token=${token}`);
  await page.getByText('Connected', { exact: true }).waitFor();
  return page;
}

/** Gives the page a picture of noise, which no format makes small. */
function choose(page: Page, side: number, type = 'image/png'): Promise<number> {
  return page.evaluate<number>(`(async () => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = ${side};
    const context = canvas.getContext('2d');
    const noise = context.createImageData(${side}, ${side});
    for (let at = 0; at < noise.data.length; at += 65536) crypto.getRandomValues(noise.data.subarray(at, at + 65536));
    for (let at = 3; at < noise.data.length; at += 4) noise.data[at] = 255;
    context.putImageData(noise, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, '${type}', 1));
    const files = new DataTransfer();
    files.items.add(new File([blob], 'noise', { type: blob.type }));
    const input = document.querySelector('#file');
    input.files = files.files;
    input.dispatchEvent(new Event('change'));
    return blob.size;
  })()`);
}

async function sendTo(page: Page, to: string): Promise<void> {
  await page.getByLabel('To:').fill(to);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
}

const firstSize = (page: Page) =>
  page.evaluate(
    '[document.querySelector("#pictures img")?.naturalWidth, document.querySelector("#pictures img")?.naturalHeight]',
  );

it('lets two people exchange a large and a small picture, also after a reload', async () => {
  const ada = await openPage('ada');
  const ben = await openPage('ben');
  expect(await choose(ada, 1000)).toBeGreaterThan(2_900_000);
  await sendTo(ada, 'ben');
  await ada.getByText('Sent.').waitFor();
  await expect.poll(() => firstSize(ben), { timeout: 20_000 }).toEqual([1000, 1000]);

  expect(await choose(ben, 120, 'image/jpeg')).toBeLessThan(96_000);
  await sendTo(ben, 'ada');
  await expect.poll(() => firstSize(ada), { timeout: 20_000 }).toEqual([120, 120]);

  await ben.reload();
  await expect.poll(() => firstSize(ben), { timeout: 20_000 }).toEqual([1000, 1000]);
  expect(complaints).toEqual([]);
});

it('cancels a slow upload, and sends nothing', async () => {
  const [ada, cyd] = [await openPage('ada'), await openPage('cyd')];
  const network = await ada.context().newCDPSession(ada);
  await network.send('Network.enable');
  await choose(ada, 1000);
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 20_000 };
  await network.send('Network.emulateNetworkConditions', slow);
  await sendTo(ada, 'cyd');
  await ada.getByRole('progressbar').waitFor();
  await ada.getByRole('button', { name: 'Cancel' }).click();
  await ada.getByText('Cancelled. Nothing was sent.').waitFor();
  expect(await cyd.getByRole('listitem').count()).toBe(0);
});

it('names what is wrong with a file and with the receiver', async () => {
  const ada = await openPage('ada');
  const file = ada.getByLabel('Picture:');
  await file.setInputFiles({ name: 'a.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg/>') });
  await ada.getByText('This is not a PNG, JPEG, WebP or GIF.').waitFor();
  await file.setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
  await ada.getByText('The browser cannot read this picture.').waitFor();
  await file.setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.alloc(10_485_761) });
  await ada.getByText('At most 10 MB can be sent.').waitFor();
  await choose(ada, 40);
  await sendTo(ada, 'topic:photos');
  await ada.getByText('is a topic that your token does not allow').waitFor();
});

it.each(['light', 'dark'] as const)(
  'fits every width, and is accessible, in the %s scheme',
  async (colorScheme) => {
    const ada = await openPage('eve');
    await ada.emulateMedia({ colorScheme });
    await choose(ada, 60);
    await sendTo(ada, 'eve');
    await ada.getByText('Sent.').waitFor();
    await ada.getByRole('listitem').first().waitFor();
    await choose(ada, 60);
    await ada.getByAltText('The chosen picture').waitFor();
    for (const width of [320, 390, 1280]) {
      await ada.setViewportSize({ width, height: 800 });
      expect(await overflow(ada)).toBeLessThanOrEqual(0);
      const folder = process.env['SCREENSHOTS'];
      if (folder !== undefined)
        await ada.screenshot({ path: `${folder}/${colorScheme}-${width}.png`, fullPage: true });
    }
    expect(await graveViolations(ada)).toEqual([]);
  },
);
