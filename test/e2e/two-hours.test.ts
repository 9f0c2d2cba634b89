import { afterAll, beforeAll, describe, it } from 'vitest';
import WebSocket from 'ws';
import { connect } from '../../client/index.ts';
import { signToken } from '../../cli/sign-token.ts';
import { startStack, type Stack } from './stack.ts';

/** Two hours in ten seconds. */
const clockSpeed = 720;
const minuteMs = 60_000 / clockSpeed;

let stack: Stack;
beforeAll(async () => {
  // Ten minutes are less than a second, which may pass between two messages; what is tested here is the two hours.
  stack = await startStack({ clockSpeed, idleTimeoutMs: 24 * 60 * 60_000 });
});
afterAll(() => stack.close());

/** A client in scaled time, and what its application hears. */
async function listen(user: string, renewAfterMinutes: number) {
  const states: string[] = [];
  const heard: { content: unknown; offset: number | undefined }[] = [];
  const lost: unknown[] = [];
  const client = connect({
    url: `${stack.url.replace('http', 'ws')}/live`,
    token: () => signToken({ user, type: 'member', tenant: 'default', topics: [], ttlSeconds: 3600 }),
    WebSocket,
    renewAfterMs: renewAfterMinutes * minuteMs,
  });
  client.on('n', (content, { offset }) => heard.push({ content, offset }));
  client.on('lost', (event) => lost.push(event));
  await new Promise<void>((resolve) => {
    client.on('status', ({ state }) => {
      states.push(state);
      resolve();
    });
  });
  const connections = new Set<string>();
  /** How many connections the user has had beyond the first. */
  const renewals = async () => {
    const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
    for (const { connectionId } of (body as { sessions: { connectionId: string }[] }).sessions) {
      connections.add(connectionId);
    }
    return connections.size - 1;
  };
  return { client, states, heard, lost, renewals };
}

/** Publishes from eight services at once, without a pause, while there is something to wait for. */
async function publishWhile(user: string, isWanted: () => Promise<boolean> | boolean): Promise<number> {
  let count = 0;
  const service = async (): Promise<void> => {
    while (await isWanted()) {
      const content = (count += 1);
      const body = { to: `user:member:${user}`, type: 'n', content, durable: true };
      const { status } = await stack.publish(body);
      if (status !== 200) throw new Error(`A publish was answered ${status}.`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, service));
  return count;
}

describe.concurrent('the end of every connection after two hours', () => {
  it(
    'is nothing that an application hears of, whatever is published meanwhile',
    { timeout: 60_000 },
    async ({ expect }) => {
      const { client, states, heard, lost, renewals } = await listen('renewing', 100);
      const count = await publishWhile('renewing', async () => (await renewals()) < 2);
      await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(count);
      expect(heard.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
      expect(new Set(heard.map(({ content }) => content)).size).toBe(count);
      expect({ states, lost }).toEqual({ states: ['open'], lost: [] });
      await client.close();
    },
  );

  it(
    'that comes unexpected is an interruption, and loses nothing',
    { timeout: 60_000 },
    async ({ expect }) => {
      const { client, states, heard, lost } = await listen('cut', 1000);
      const count = await publishWhile('cut', () => states.length < 5);
      await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(count);
      expect(heard.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
      expect(states.slice(0, 5)).toEqual(['open', 'reconnecting', 'open', 'reconnecting', 'open']);
      expect(lost).toEqual([]);
      await client.close();
    },
  );
});
