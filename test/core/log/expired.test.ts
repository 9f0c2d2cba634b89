import { DeleteCommand, GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { channelKey, messageSortKey } from '../../../core/log/items.ts';
import { useDynamoDB } from '../core-under-test.ts';
import { entry, leaveHole, log, read } from './log-under-test.ts';

const dynamodb = useDynamoDB();

describe('an expired message', () => {
  it('is not returned, and the reader learns that messages are missing', async () => {
    const core = await dynamodb.create();
    await core.logs.append(log, entry('short', 10));
    await core.logs.append(log, entry('long'));
    core.clock.ms += 11_000;
    expect(await read(core, 0)).toMatchObject({ messages: ['long'], offset: 2, isComplete: false });
    expect(await read(core, 1)).toMatchObject({ messages: ['long'], isComplete: true });
  });

  it('does not count as a hole after its row is deleted', async () => {
    const core = await dynamodb.create();
    await core.logs.append(log, entry('a', 10));
    await core.logs.append(log, entry('b', 10));
    core.clock.ms += 120_000;
    await core.logs.append(log, entry('c'));
    for (const offset of ['000000000001', '000000000002']) {
      const Key = { pk: channelKey(log), sk: `MSG#${offset}` };
      await core.db.send(new DeleteCommand({ TableName: core.tables.state, Key }));
    }
    expect(await read(core, 0)).toMatchObject({ messages: ['c'], skipped: [], isComplete: false });
    core.clock.ms += 120_000;
    expect(await read(core, 0)).toMatchObject({ messages: ['c'], skipped: [], isComplete: false });
  });

  it('with a shorter TTL than the messages before it does not count as a hole', async () => {
    const core = await dynamodb.create();
    await core.logs.append(log, entry('a', 600));
    const { offset } = await core.logs.append(log, entry('short', 10));
    await core.logs.append(log, entry('c', 600));
    core.clock.ms += 11_000;
    const Key = { pk: channelKey(log), sk: messageSortKey(offset) };
    await core.db.send(new DeleteCommand({ TableName: core.tables.state, Key }));
    expect(await read(core, 0)).toMatchObject({ messages: ['a', 'c'], skipped: [], isComplete: false });
  });

  it('had its TTL stored as the shortest before it was written, and a longer TTL does not raise that', async () => {
    const core = await dynamodb.create();
    const get = new GetCommand({ TableName: core.tables.state, Key: { pk: channelKey(log), sk: 'HEAD' } });
    const shortest = async () => (await core.db.send(get)).Item?.shortestTtlSeconds as unknown;
    await core.logs.append(log, entry('a', 600));
    let before: unknown;
    const remember = async () => void (before = await shortest());
    await core.logs.append(log, entry('b', 10), { remember });
    expect(before).toBe(10);
    await core.logs.append(log, entry('c', 60));
    expect(await shortest()).toBe(10);
  });

  it('does not hide a hole that is younger than the shortest TTL', async () => {
    const core = await dynamodb.create();
    await core.logs.append(log, entry('a', 60));
    core.clock.ms += 61_000;
    await core.logs.append(log, entry('b', 60));
    await leaveHole(core, 60);
    await core.logs.append(log, entry('d', 60));
    expect(await read(core, 1)).toMatchObject({ messages: ['b', 'd'], skipped: [3], isComplete: true });
  });

  it('is reported as missing even if all others have expired too', async () => {
    const core = await dynamodb.create();
    for (const text of 'abc') await core.logs.append(log, entry(text, 10));
    core.clock.ms += 3_600_000;
    expect(await read(core, 1)).toMatchObject({ messages: [], offset: 3, isComplete: false });
  });
});
