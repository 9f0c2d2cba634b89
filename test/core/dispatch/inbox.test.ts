import { BatchWriteCommand, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { createInboxListeners } from '../../../core/dispatch/inbox.ts';
import { channelKey, headSortKey, messageSortKey } from '../../../core/log/items.ts';
import { readPublishRequest } from '../../../protocol/index.ts';
import { contextOf, type Core, sessionOf, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const own = 'user:member:1';
const from = { tenant: 'default', userType: 'member', userId: '1' };
const session = { connectionId: 'c1=', connectedAt: 0, tokenExpiresAt: 0 };

async function coreWith(count: number, ttlSeconds = 60): Promise<Core> {
  const core = await dynamodb.create();
  for (let content = 1; content <= count; content += 1) await publish(core, content, ttlSeconds);
  return core;
}

function publish(core: Core, content: unknown, ttlSeconds = 60) {
  return core.publish(readPublishRequest({ to: own, type: 'n', content, durable: true, ttlSeconds }));
}

async function ask(core: Core, type: string, content: unknown): Promise<Record<string, unknown>> {
  const listener = createInboxListeners(core).find((each) => each.type === type);
  if (!listener) throw new Error(`There is no ${type}.`);
  const { handle } = await listener.accept(content);
  return (await handle(contextOf({ from, session }))) as Record<string, unknown>;
}

/** Fills the log up to an offset with copies of its first message. Batch writes are faster than publishes. */
async function repeatFirstMessage({ db, tables }: Core, upTo: number): Promise<void> {
  const pk = channelKey({ tenant: 'default', channel: own });
  const { Item: first } = await db.send(
    new GetCommand({ TableName: tables.state, Key: { pk, sk: messageSortKey(1) } }),
  );
  for (let from = 2; from <= upTo; from += 25) {
    const offsets = Array.from({ length: Math.min(25, upTo + 1 - from) }, (_, index) => from + index);
    const puts = offsets.map((offset) => ({
      PutRequest: { Item: { ...first, sk: messageSortKey(offset) } },
    }));
    await db.send(new BatchWriteCommand({ RequestItems: { [tables.state]: puts } }));
  }
  await db.send(
    new UpdateCommand({
      TableName: tables.state,
      Key: { pk, sk: headSortKey },
      UpdateExpression: 'SET #offset = :offset',
      ExpressionAttributeNames: { '#offset': 'offset' },
      ExpressionAttributeValues: { ':offset': upTo },
    }),
  );
}

/** The database calls from now on. The tests of this file share one client. */
function spyOnSend({ db }: Core) {
  return vi.spyOn(db, 'send').mockClear();
}

const contents = ({ messages }: Record<string, unknown>) =>
  (messages as { content: unknown }[]).map(({ content }) => content);

describe('an inbox', () => {
  it('is empty before its first message', async () => {
    const core = await dynamodb.create();
    const empty = { messages: [], epoch: '', head: 0, readOffset: 0 };
    for (const content of [{}, undefined]) expect(await ask(core, 'inbox-list', content)).toEqual(empty);
    expect(await ask(core, 'inbox-unread', undefined)).toEqual({ unread: 0 });
    expect(await ask(core, 'inbox-mark-read', { offset: 0 })).toEqual({ readOffset: 0 });
  });

  it('lists the messages to the user in pages, oldest first', async () => {
    const core = await coreWith(5);
    expect(contents(await ask(core, 'inbox-list', undefined))).toEqual([1, 2, 3, 4, 5]);
    const first = await ask(core, 'inbox-list', { limit: 3 });
    expect(contents(first)).toEqual([1, 2, 3]);
    expect(first).toMatchObject({ head: 5, readOffset: 0, next: 3 });
    const second = await ask(core, 'inbox-list', { after: first['next'], limit: 3 });
    expect(contents(second)).toEqual([4, 5]);
    expect(second).not.toHaveProperty('next');
  });

  it('keeps a page below the size of a frame, and returns a larger message alone', async () => {
    const core = await coreWith(0);
    const text = 'x'.repeat(30_000);
    for (const content of [text, text, text, 'y'.repeat(120_000), text]) await publish(core, content);
    const lengths: number[][] = [];
    let after: unknown = 0;
    while (after !== undefined) {
      const page = await ask(core, 'inbox-list', { after });
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(128 * 1024);
      lengths.push(contents(page).map((content) => String(content).length));
      after = page['next'];
    }
    expect(lengths).toEqual([[30_000, 30_000], [30_000], [120_000], [30_000]]);
  });

  it('passes many expired messages with few reads', async () => {
    const core = await coreWith(1, 1);
    await repeatFirstMessage(core, 1100);
    core.clock.ms += 5000;
    await publish(core, 'kept');
    const send = spyOnSend(core);
    expect(contents(await ask(core, 'inbox-list', { limit: 1 }))).toEqual(['kept']);
    expect(send.mock.calls.length).toBeLessThan(15);
  });

  it('reads about a megabyte at most, and says where to continue', async () => {
    const core = await dynamodb.create();
    await publish(core, 'x'.repeat(100_000), 1);
    await repeatFirstMessage(core, 40);
    core.clock.ms += 5000;
    await publish(core, 'kept');
    const first = await ask(core, 'inbox-list', { limit: 1 });
    expect(first).toMatchObject({ messages: [], head: 41 });
    expect(first['next']).toBeGreaterThan(3);
    expect(first['next']).toBeLessThan(22);
  });

  it('reads about what it returns', async () => {
    const core = await coreWith(0);
    await publish(core, 'x'.repeat(1000));
    await repeatFirstMessage(core, 1000);
    const send = spyOnSend(core);
    const { messages } = await ask(core, 'inbox-list', { limit: 1000 });
    expect((messages as unknown[]).length).toBeGreaterThan(40);
    const limits = send.mock.calls.map(([{ input }]) => ('Limit' in input ? Number(input.Limit) : 0));
    expect(limits.reduce((sum, limit) => sum + limit)).toBeLessThan(80);
  });

  it('counts a megabyte of unread messages, and says that there are more', async () => {
    const core = await coreWith(0);
    const content = 'x'.repeat(125_000);
    for (let count = 0; count < 15; count += 1) await publish(core, content);
    const counted = await ask(core, 'inbox-unread', {});
    expect(counted).toMatchObject({ more: true });
    expect(counted['unread']).toBeGreaterThan(6);
    expect(counted['unread']).toBeLessThan(10);
    await ask(core, 'inbox-mark-read', { offset: 10 });
    expect(await ask(core, 'inbox-unread', {})).toEqual({ unread: 5 });
  });

  it('counts unread messages, without expired ones', async () => {
    const core = await coreWith(2, 10);
    await publish(core, 'later', 100);
    expect(await ask(core, 'inbox-unread', {})).toEqual({ unread: 3 });
    await ask(core, 'inbox-mark-read', { offset: 1 });
    expect(await ask(core, 'inbox-unread', {})).toEqual({ unread: 2 });
    core.clock.ms += 11_000;
    expect(await ask(core, 'inbox-unread', {})).toEqual({ unread: 1 });
    expect(contents(await ask(core, 'inbox-list', {}))).toEqual(['later']);
  });
});

describe('marking read', () => {
  it('tells all sessions of the user, and never goes back', async () => {
    const core = await coreWith(3);
    await core.sessions.add(sessionOf('c1='));
    await core.sessions.add(sessionOf('c2='));
    expect(await ask(core, 'inbox-mark-read', { offset: 2 })).toEqual({ readOffset: 2 });
    expect(await ask(core, 'inbox-mark-read', { offset: 1 })).toEqual({ readOffset: 2 });
    expect(await ask(core, 'inbox-mark-read', { offset: 2 })).toEqual({ readOffset: 2 });
    expect(await ask(core, 'inbox-mark-read', { offset: 0 })).toEqual({ readOffset: 2 });
    expect(await ask(core, 'inbox-list', {})).toMatchObject({ readOffset: 2 });
    for (const id of ['c1=', 'c2=']) {
      const frame = { type: 'inbox-read', content: { readOffset: 2 } };
      expect(core.connections.framesTo(id)).toMatchObject([frame]);
    }
  });

  it('again writes nothing', async () => {
    const core = await coreWith(1);
    await ask(core, 'inbox-mark-read', { offset: 1 });
    const send = spyOnSend(core);
    await ask(core, 'inbox-mark-read', { offset: 1 });
    expect(send.mock.calls.map(([command]) => command.constructor.name)).toEqual([
      'GetCommand',
      'GetCommand',
    ]);
  });

  it('is refused beyond the newest message, and for an invalid offset', async () => {
    const core = await coreWith(3);
    for (const offset of [4, -1, 1.5, '2']) {
      await expect(ask(core, 'inbox-mark-read', { offset })).rejects.toMatchObject({
        code: 'bad_content',
        details: [{ field: 'content.offset' }],
      });
    }
  });
});
