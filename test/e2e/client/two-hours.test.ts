import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { connect } from '../../../client/index.ts';
import { signToken, type Stack, startStack } from '../stack.ts';

/** At this speed, API Gateway's two hours take ten seconds. */
const clockSpeed = 720;

/** A renewal has eight of the ten seconds, which is enough on a busy machine. */
const renewAfterMs = 2000;

let stack: Stack;
beforeAll(async () => {
  // At this speed, ten minutes of silence are less than a second, which may pass between two messages.
  stack = await startStack({ idleTimeoutMs: 24 * 60 * 60_000 });
});
afterEach(() => setClock(1));
afterAll(() => stack.close());

/** Tests connect and recover at speed 1. At a higher speed, that may exceed two hours on a busy machine. */
async function setClock(speed: number): Promise<void> {
  const body = JSON.stringify({ clockSpeed: speed });
  expect((await fetch(`${stack.url}/_local/faults`, { method: 'PUT', body })).status).toBe(200);
}

/** Opens a client, and records the events and messages that it gives to its application. */
async function open(user: string, options: { readonly renewAfterMs?: number } = {}) {
  const states: string[] = [];
  const heard: { content: unknown; offset: number | undefined }[] = [];
  const lost: unknown[] = [];
  const client = connect({
    url: `${stack.url.replace('http', 'ws')}/live`,
    token: () => signToken({ user, type: 'member', tenant: 'default', topics: [], ttlSeconds: 3600 }),
    WebSocket,
    ...options,
  });
  client.on('n', (content, { offset }) => heard.push({ content, offset }));
  client.on('lost', (event) => lost.push(event));
  await new Promise<void>((resolve) => {
    client.on('status', ({ state }) => {
      // One interruption may need several attempts.
      if (state !== states.at(-1)) states.push(state);
      if (state === 'open') resolve();
    });
  });
  return { client, states, heard, lost };
}

/** Publishes from two concurrent services, without a pause, until the condition holds. */
async function publishUntil(user: string, hasHappened: () => boolean): Promise<number> {
  let count = 0;
  const service = async (): Promise<void> => {
    while (!hasHappened()) {
      const content = (count += 1);
      const body = { to: `user:member:${user}`, type: 'n', content, durable: true };
      const { status } = await stack.publish(body);
      if (status !== 200) throw new Error(`A publish was answered ${status}.`);
    }
  };
  await Promise.all([service(), service()]);
  return count;
}

describe('the end of every connection after two hours', { timeout: 120_000 }, () => {
  it('is invisible to an application if its client renews the connection before', async () => {
    const { client, states, heard, lost } = await open('renewing', { renewAfterMs });
    // This connection is younger and is not renewed. When it ends, the client's first connection has ended too.
    const other = await stack.connect({ user: 'other' });
    await setClock(clockSpeed);
    let code: number | undefined;
    void other.closed().then((end) => ({ code } = end));
    const count = await publishUntil('renewing', () => code !== undefined);
    await setClock(1);
    expect(code).toBe(1001);
    await expect.poll(() => heard.length).toBe(count);
    expect(heard.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    expect(new Set(heard.map(({ content }) => content)).size).toBe(count);
    expect({ states, lost }).toEqual({ states: ['open'], lost: [] });
    await client.close();
  });

  it('interrupts a client that does not renew, without a lost message', async () => {
    const { client, states, heard, lost } = await open('cut');
    await setClock(clockSpeed);
    const whileOpen = publishUntil('cut', () => states.length >= 3);
    await expect.poll(() => states, { timeout: 60_000 }).toContain('reconnecting');
    await setClock(1);
    const count = await whileOpen;
    await expect.poll(() => heard.length).toBe(count);
    expect(heard.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    expect(states.slice(0, 3)).toEqual(['open', 'reconnecting', 'open']);
    expect(lost).toEqual([]);
    await client.close();
  });
});
