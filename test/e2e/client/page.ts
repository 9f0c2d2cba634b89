import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { signToken } from '../stack.ts';

/** The code of a page that records the client's states and the contents of `note` messages, in order. */
export const clientPageCode = `
  import { connect } from '@switchboard/client';
  window.states = [];
  window.notes = [];
  const client = connect({
    url: location.origin.replace('http', 'ws') + '/live',
    token: () => location.hash.slice(1) || fetch('/token').then((response) => response.text()),
  });
  client.on('status', ({ state }) => window.states.push(state));
  client.on('note', (content) => window.notes.push(content));
  window.send = (type, content) => client.send(type, content);
`;

export interface ClientPage {
  states(): Promise<string[]>;
  notes(): Promise<unknown[]>;
  /** Resolves to the content of the ack. */
  send(type: string, content: unknown): Promise<unknown>;
  /** Waits until the client's latest state is this one. */
  becomes(state: string): Promise<void>;
}

/** Opens the page as this user. The nth token lives for the nth of `tokenLives`; later tokens live for the last. */
export async function openClientPage(
  page: Page,
  url: string,
  user: string,
  tokenLives: readonly number[] = [3600],
): Promise<ClientPage> {
  let asked = 0;
  // The test itself answers, so that the route works while the page is offline. Only the connection is under test.
  await page.route('**/token', async (route) => {
    const ttlSeconds = tokenLives[Math.min(asked, tokenLives.length - 1)] ?? 0;
    asked += 1;
    const body = await signToken({ user, type: 'member', tenant: 'default', topics: [], ttlSeconds });
    await route.fulfill({ body });
  });
  await page.goto(url);
  const states = () => page.evaluate<string[]>('window.states');
  return {
    states,
    notes: () => page.evaluate<unknown[]>('window.notes'),
    send: (type, content) =>
      page.evaluate(`window.send(${JSON.stringify(type)}, ${JSON.stringify(content)})`),
    async becomes(state) {
      await expect.poll(async () => (await states()).at(-1), { timeout: 15_000 }).toBe(state);
    },
  };
}
