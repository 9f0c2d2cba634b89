import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { type Browser } from '../chromium.ts';
import { type PageServer } from './page-server.ts';

/** An old front end in a tab of its own. */
export interface OldPage {
  readonly tab: Page;
  /** The texts of the items of a list, in order. */
  items(list: string): Promise<string[]>;
  /** Waits until the list holds exactly these items. */
  shows(list: string, items: readonly string[]): Promise<void>;
  fill(field: string, text: string): Promise<void>;
  click(button: string): Promise<void>;
  /** What the page threw and did not catch. */
  readonly faults: readonly string[];
  /** How many connections it has begun. */
  connections(): number;
}

/** Opens a page of `pages/` that connects to this server. */
export async function openPage(
  { browser, pages }: { readonly browser: Browser; readonly pages: PageServer },
  page: string,
  server: string,
  options: Readonly<Record<string, string>> = {},
): Promise<OldPage> {
  const tab = await browser.context.newPage();
  // So that a test can fire the timers of the page without waiting.
  await tab.clock.install();
  const faults: string[] = [];
  tab.on('pageerror', (fault) => faults.push(fault.message));
  let connections = 0;
  tab.on('websocket', () => (connections += 1));
  const opened = tab.waitForEvent('websocket');
  await tab.goto(pages.address(page, server, options));
  await opened;
  const items = (list: string) => tab.locator(`#${list} li`).allTextContents();
  return {
    tab,
    items,
    shows: (list, expected) => expect.poll(() => items(list), { timeout: 15_000 }).toEqual(expected),
    fill: (field, text) => tab.locator(`#${field}`).fill(text),
    click: (button) => tab.locator(`#${button}`).click(),
    faults,
    connections: () => connections,
  };
}
