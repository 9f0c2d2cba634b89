import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../client.ts';
import { startStack, type Stack } from '../stack.ts';

// Above one page of a recipients' report (1,000), and above twice the inline limit (500).
const clientCount = 1040;

let stack: Stack;
const clients: Client[] = [];

beforeAll(async () => {
  stack = await startStack();
  for (let from = 0; from < clientCount; from += 40) {
    const batch = Array.from({ length: 40 }, (_, index) =>
      // Every second client is a reader. Every fourth client subscribes.
      stack.connect({
        user: `u${String(from + index)}`,
        type: index % 2 === 0 ? 'reader' : 'writer',
        topics: ['*'],
      }),
    );
    clients.push(...(await Promise.all(batch)));
  }
  for (let from = 0; from < clientCount; from += 80) {
    const subscribers = clients.slice(from, from + 80).filter((_, index) => index % 4 === 0);
    await Promise.all(
      subscribers.map(async (client) => {
        expect(await client.ask({ type: 'subscribe', content: { topic: 'news' }, id: 's' })).toMatchObject({
          type: 'ack',
        });
      }),
    );
  }
}, 300_000);
afterAll(() => stack.close());

interface Publication {
  readonly status: string;
  readonly delivered: number;
  readonly shards: readonly { readonly delivered: number }[];
}

/** Publishes to more sessions than the inline limit. Resolves to the report of the completed fan-out. */
async function fanOut(body: Record<string, unknown>): Promise<Publication> {
  const answer = await stack.publish({ type: 'x', content: 1, ...body });
  expect(answer).toEqual({
    status: 202,
    body: { messageId: body['messageId'], status: 'accepted', shards: 8 },
  });
  return ended(String(body['messageId']));
}

/** Resolves to the report of a publication once its status is `done`. */
async function ended(messageId: string): Promise<Publication> {
  const read = () => stack.call('GET', `/publications/${messageId}`);
  await expect.poll(read, { timeout: 60_000 }).toMatchObject({ body: { status: 'done' } });
  return (await read()).body as Publication;
}

/** The number of copies of a message that each client got. Ignores frames of other tests. */
function copiesOf(messageId: string, frame: Record<string, unknown> = {}): Promise<number[]> {
  return Promise.all(
    clients.map(async (client) => {
      const copies = (await client.drain()).filter((each) => each['messageId'] === messageId);
      for (const copy of copies) expect(copy).toMatchObject(frame);
      return copies.length;
    }),
  );
}

/** The clients that got the message. Delivery is at least once, so a second copy is allowed. */
function indexesOf(copies: readonly number[]): number[] {
  return copies.flatMap((count, index) => (count > 0 ? [index] : []));
}

function indexesWhere(isReceiver: (index: number) => boolean): number[] {
  return clients.map((_, index) => index).filter(isReceiver);
}

describe('a publish to more sessions than the inline limit', { timeout: 120_000 }, () => {
  it.each<[string, string[], (index: number) => boolean]>([
    ['everyone', ['everyone'], () => true],
    ['a type', ['type:reader'], (index) => index % 2 === 0],
    // All subscribers are readers. The topic alone would not exceed the inline limit.
    ['a topic and a type that overlap', ['topic:news', 'type:reader'], (index) => index % 2 === 0],
  ])(
    'reaches each session of %s and no other, and its report has the same counts',
    async (_what, to, isReceiver) => {
      const messageId = randomUUID();
      const receivers = indexesWhere(isReceiver);
      // The content has characters that a queue may refuse.
      const content = { to, text: 'h\u00e9llo \u{1f600} \ufffe \uffff \u0000 \ud800' };
      const { delivered, shards, ...report } = await fanOut({ to, content, messageId });
      expect(report).toMatchObject({ status: 'done', gone: 0, failed: 0, pending: 0 });
      expect(delivered).toBe(receivers.length);
      expect(shards.reduce((sum, shard) => sum + shard.delivered, 0)).toBe(delivered);
      expect(indexesOf(await copiesOf(messageId, { type: 'x', content }))).toEqual(receivers);
    },
  );

  it('skips an excluded session, and counts a user of two targets once', async () => {
    const messageId = randomUUID();
    const { body } = await stack.call('GET', '/sessions?userType=reader&userId=u0');
    const { connectionId } = (body as { sessions: [{ connectionId: string }] }).sessions[0];
    const to = ['everyone', 'user:writer:u1', 'type:reader'];
    const { delivered } = await fanOut({ to, exclude: [connectionId], messageId });
    expect(delivered).toBe(clientCount - 1);
    expect(indexesOf(await copiesOf(messageId))).toEqual(indexesWhere((index) => index > 0));
  });

  it('with the same messageId publishes once', async () => {
    const messageId = randomUUID();
    const request = { to: 'everyone', type: 'x', content: 'once', messageId };
    const [first, second] = await Promise.all([stack.publish(request), stack.publish(request)]);
    expect(first).toMatchObject({ status: 202 });
    expect(second).toEqual(first);
    await ended(messageId);
    expect(await stack.publish(request)).toEqual(first);
    expect((await ended(messageId)).delivered).toBe(clientCount);
    const copies = await copiesOf(messageId);
    expect(indexesOf(copies)).toHaveLength(clientCount);
    // With two publishes each client would have two copies.
    expect(copies.reduce((sum, count) => sum + count, 0)).toBeLessThan(2 * clientCount);
  });

  it('reports the outcome of each recipient on request, in pages', async () => {
    const messageId = randomUUID();
    await fanOut({ to: 'everyone', messageId, report: 'recipients' });
    const found = new Map<string, unknown>();
    let pages = 0;
    let cursor = '';
    do {
      const { body } = await stack.call('GET', `/publications/${messageId}?recipients=true${cursor}`);
      const page = body as { recipients: { userId: string; outcome: string }[]; cursor?: string };
      for (const { userId, outcome } of page.recipients) found.set(userId, outcome);
      cursor = page.cursor === undefined ? '' : `&cursor=${page.cursor}`;
      pages += 1;
    } while (cursor !== '');
    expect(found.size).toBe(clientCount);
    expect(new Set(found.values())).toEqual(new Set(['delivered']));
    expect(pages).toBeGreaterThan(1);
  });
});
