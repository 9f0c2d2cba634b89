import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { channelKey, messageSortKey } from '../../../core/log/items.ts';
import { type Core, useDynamoDB } from '../core-under-test.ts';
import { entry, leaveHole, log } from './log-under-test.ts';

const dynamodb = useDynamoDB();

async function readBefore(core: Core, before: number, limit = 100) {
  const reader = await core.logs.open(log);
  const { messages, offset } = await reader.pageBefore(before, limit);
  return { messages: messages.map(({ frame }) => (JSON.parse(frame) as [string])[0]), offset };
}

/** The offsets that no reader can find filled later. */
async function sealedBy(core: Core, read: () => Promise<unknown>): Promise<number> {
  const send = vi.spyOn(core.db, 'send').mockClear();
  await read();
  return send.mock.calls.filter(([command]) => command.constructor.name === 'PutCommand').length;
}

describe('a log that is read backwards', () => {
  it('has pages, newest first, and each continues where the last one ended', async () => {
    const core = await dynamodb.create();
    for (const text of 'abcde') await core.logs.append(log, entry(text));
    expect(await readBefore(core, 6, 2)).toEqual({ messages: ['e', 'd'], offset: 4 });
    expect(await readBefore(core, 4, 2)).toEqual({ messages: ['c', 'b'], offset: 2 });
    expect(await readBefore(core, 2, 2)).toEqual({ messages: ['a'], offset: 1 });
  });

  it('waits for a slow writer at its end, and then seals the gap', async () => {
    const waits: number[] = [];
    const core = await dynamodb.create({ wait: (ms) => Promise.resolve(waits.push(ms)) });
    await core.logs.append(log, entry('a'));
    const slot = await leaveHole(core);
    expect(await readBefore(core, 3)).toEqual({ messages: ['a'], offset: 1 });
    expect(waits).toEqual([50, 100, 200]);
    const late = await core.logs.append(log, entry('late'), { slot, remember: () => Promise.resolve() });
    expect(late.offset).toBe(3);
    waits.length = 0;
    expect(await readBefore(core, 4)).toEqual({ messages: ['late', 'a'], offset: 1 });
    expect(waits).toEqual([]);
  });

  it('leaves out the rows of an earlier epoch', async () => {
    const core = await dynamodb.create();
    for (const text of ['old', 'older']) await core.logs.append(log, entry(text));
    const Key = { pk: channelKey(log), sk: 'HEAD' };
    await core.db.send(new DeleteCommand({ TableName: core.tables.state, Key }));
    await leaveHole(core);
    await core.logs.append(log, entry('new'));
    expect(await readBefore(core, 3)).toEqual({ messages: ['new'], offset: 1 });
  });

  it('seals many holes a few at a time, the newest first', async () => {
    const core = await dynamodb.create();
    await core.logs.append(log, entry('a'));
    const update = new UpdateCommand({
      TableName: core.tables.state,
      Key: { pk: channelKey(log), sk: 'HEAD' },
      UpdateExpression: 'ADD #offset :count',
      ExpressionAttributeNames: { '#offset': 'offset' },
      ExpressionAttributeValues: { ':count': 120 },
    });
    await core.db.send(update);
    await core.logs.append(log, entry('z'));
    expect(await sealedBy(core, () => readBefore(core, 123))).toBe(100);
    expect(await readBefore(core, 123, 200)).toEqual({ messages: ['z', 'a'], offset: 1 });
  });

  it('seals nothing where messages have expired, although the log is busy', async () => {
    const core = await dynamodb.create();
    for (const text of 'abc') await core.logs.append(log, entry(text, 10));
    core.clock.ms += 3_600_000;
    for (const offset of [1, 2, 3]) {
      const Key = { pk: channelKey(log), sk: messageSortKey(offset) };
      await core.db.send(new DeleteCommand({ TableName: core.tables.state, Key }));
    }
    await core.logs.append(log, entry('d', 10));
    core.clock.ms += 120_000;
    // The log moves again, so that some of its writers may be at work.
    await core.logs.append(log, entry('e', 10));
    expect(await sealedBy(core, () => readBefore(core, 3))).toBe(0);
    expect(await readBefore(core, 3)).toEqual({ messages: [], offset: 1 });
  });
});
