import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { startStack, type Stack } from './stack.ts';

const clientCount = 2000;

let stack: Stack;
const clients: Client[] = [];

beforeAll(async () => {
  stack = await startStack();
  for (let from = 0; from < clientCount; from += 50) {
    const batch = Array.from({ length: 50 }, (_, index) =>
      // Every second one is a reader, every fourth subscribes.
      stack.connect({
        user: `u${String(from + index)}`,
        type: index % 2 === 0 ? 'reader' : 'writer',
        topics: ['*'],
      }),
    );
    clients.push(...(await Promise.all(batch)));
  }
  for (let from = 0; from < clientCount; from += 100) {
    const subscribers = clients.slice(from, from + 100).filter((_, index) => index % 4 === 0);
    await Promise.all(
      subscribers.map(async (client) => {
        expect(await client.ask({ type: 'subscribe', content: { topic: 'news' }, id: 's' })).toMatchObject({
          type: 'ack',
        });
      }),
    );
  }
}, 120_000);
afterAll(() => stack.close());

interface Publication {
  readonly status: string;
  readonly delivered: number;
  readonly shards: readonly { readonly delivered: number }[];
}

/** Publishes what is too large to be sent at once, and waits for its end. */
async function fanOut(body: Record<string, unknown>): Promise<Publication> {
  const answer = await stack.publish({ type: 'x', content: 1, ...body });
  expect(answer).toEqual({
    status: 202,
    body: { messageId: expect.any(String) as string, status: 'accepted', shards: 8 },
  });
  const { messageId } = answer.body as { messageId: string };
  const read = () => stack.call('GET', `/publications/${messageId}`);
  await expect.poll(read, { timeout: 30_000, interval: 50 }).toMatchObject({ body: { status: 'done' } });
  return (await read()).body as Publication;
}

/** Each of these got exactly this message, and nobody else got anything. */
async function expectExactly(receivers: readonly Client[], frame: Record<string, unknown>): Promise<void> {
  const receiving = new Set(receivers);
  await Promise.all(
    clients.map(async (client) => {
      if (receiving.has(client)) expect(await client.next()).toMatchObject(frame);
      await client.expectSilence();
    }),
  );
}

describe('a publish to more sessions than are sent to at once', () => {
  it.each([
    ['everyone', clientCount, () => true],
    ['type:reader', clientCount / 2, (index: number) => index % 2 === 0],
    ['topic:news', 500, (index: number) => index % 4 === 0],
  ])(
    'reaches each session of %s exactly once, and its report adds up',
    async (to, size, isReceiver) => {
      // 500 subscribers are within the inline limit; the second target makes it a fan-out, and all of it overlaps.
      const targets = to === 'topic:news' ? [to, 'type:reader'] : [to];
      const receivers = clients.filter(
        (_, index) => isReceiver(index) || (targets.length > 1 && index % 2 === 0),
      );
      // With characters that a queue may refuse.
      const content = { to, text: 'h\u00e9llo \u{1f600} \ufffe \uffff \u0000 \ud800' };
      const { delivered, shards, ...report } = await fanOut({ to: targets, content });
      expect(report).toMatchObject({ status: 'done', gone: 0, failed: 0, pending: 0 });
      expect(delivered).toBe(receivers.length);
      expect(delivered).toBeGreaterThanOrEqual(size);
      expect(shards.reduce((sum, shard) => sum + shard.delivered, 0)).toBe(delivered);
      await expectExactly(receivers, { type: 'x', content });
    },
    60_000,
  );

  it('leaves out whom it excludes, and merges a user whom another target holds already', async () => {
    const { body } = await stack.call('GET', '/sessions?userType=reader&userId=u0');
    const { connectionId } = (body as { sessions: [{ connectionId: string }] }).sessions[0];
    const to = ['everyone', 'user:writer:u1', 'type:reader'];
    const { delivered } = await fanOut({ to, exclude: [connectionId] });
    expect(delivered).toBe(clientCount - 1);
    await expectExactly(clients.slice(1), { type: 'x' });
  }, 60_000);

  it('with the same messageId publishes once', async () => {
    const request = { to: 'everyone', type: 'x', content: 'once', messageId: randomUUID() };
    const [first, second] = await Promise.all([stack.publish(request), stack.publish(request)]);
    expect(first).toMatchObject({ status: 202 });
    expect(second).toEqual(first);
    await expectExactly(clients, { messageId: request.messageId });
    expect(await stack.publish(request)).toEqual(first);
    await expectExactly([], {});
  }, 60_000);

  it('says by request what became of each recipient, in pages', async () => {
    const messageId = randomUUID();
    await fanOut({ to: 'everyone', messageId, report: 'recipients' });
    await expectExactly(clients, { messageId });
    const found = new Map<string, unknown>();
    let cursor = '';
    do {
      const { body } = await stack.call('GET', `/publications/${messageId}?recipients=true${cursor}`);
      const page = body as { recipients: { userId: string; outcome: string }[]; cursor?: string };
      for (const { userId, outcome } of page.recipients) found.set(userId, outcome);
      cursor = page.cursor === undefined ? '' : `&cursor=${page.cursor}`;
    } while (cursor !== '');
    expect(found.size).toBe(clientCount);
    expect(new Set(found.values())).toEqual(new Set(['delivered']));
  }, 60_000);

  it('is not waited for by a publish to one user', async () => {
    const messageId = randomUUID();
    await stack.publish({ to: 'everyone', type: 'broadcast', content: 1, messageId });
    expect(await stack.publish({ to: 'user:reader:u0', type: 'direct', content: 1 })).toMatchObject({
      status: 200,
      body: { delivered: 1 },
    });
    const [first] = clients;
    const types = [await first?.next(), await first?.next()].map((frame) => frame?.type);
    expect(types.sort()).toEqual(['broadcast', 'direct']);
    await expectExactly(clients.slice(1), { messageId });
  }, 60_000);
});
