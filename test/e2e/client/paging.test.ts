import { afterAll, beforeAll, expect, it } from 'vitest';
import WebSocket from 'ws';
import { connectOn } from '../../client/harness/connect-on.ts';
import { signToken, type Stack, startStack } from '../stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

it(
  'a client that missed many and large messages gets all of them in order',
  { timeout: 120_000 },
  async () => {
    const window = new EventTarget();
    const client = connectOn({
      url: `${stack.url.replace('http', 'ws')}/live`,
      token: () =>
        signToken({ user: 'far', type: 'member', tenant: 'default', topics: [], ttlSeconds: 3600 }),
      WebSocket,
      page: { window },
    });
    const heard: number[] = [];
    const states: string[] = [];
    client.on('n', (content) => heard.push((content as { n: number }).n));
    client.on('status', ({ state }) => states.push(state));
    client.on('lost', (lost) => states.push(JSON.stringify(lost)));
    await expect.poll(() => states).toEqual(['open']);
    window.dispatchEvent(new Event('offline'));
    await expect.poll(() => states.at(-1)).toBe('paused');

    // Two megabytes of large messages exceed one page of the table. The small messages exceed one answer.
    const texts = [
      ...Array.from({ length: 20 }, () => 'x'.repeat(100_000)),
      ...Array.from({ length: 430 }, () => 'x'),
    ];
    for (const [index, text] of texts.entries()) {
      const body = { to: 'user:member:far', type: 'n', content: { n: index + 1, text }, durable: true };
      expect(await stack.publish(body)).toMatchObject({ body: { offset: index + 1 } });
    }
    window.dispatchEvent(new Event('online'));
    await expect.poll(() => heard.length, { timeout: 60_000 }).toBe(texts.length);
    expect(heard).toEqual(texts.map((_, index) => index + 1));
    // The status may change before or after the last message.
    await expect.poll(() => states).toEqual(['open', 'paused', 'reconnecting', 'open']);
    await client.close();
  },
);
