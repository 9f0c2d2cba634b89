import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { channelKey, type Slot } from '../../../core/log/items.ts';
import { type Core, useDynamoDB } from '../core-under-test.ts';
import { entry, leaveHole, log, read } from './log-under-test.ts';

const dynamodb = useDynamoDB();

describe('a log', () => {
  it('counts from 1, in one epoch, and returns its messages in order', async () => {
    const core = await dynamodb.create();
    const first = await core.logs.append(log, entry('a'));
    const second = await core.logs.append(log, entry('b'));
    expect([first.offset, second.offset]).toEqual([1, 2]);
    expect(second.epoch).toBe(first.epoch);
    expect(await read(core, 0)).toEqual({ messages: ['a', 'b'], offset: 2, skipped: [], isComplete: true });
    expect(await read(core, 1)).toMatchObject({ messages: ['b'], offset: 2 });
    expect(await read(core, 2)).toMatchObject({ messages: [], offset: 2, isComplete: true });
  });

  it('gives each of many writers at once a slot of its own', async () => {
    const core = await dynamodb.create();
    const names = Array.from({ length: 20 }, (_, index) => String(index));
    const places = await Promise.all(names.map((name) => core.logs.append(log, entry(name))));
    expect(places.map(({ offset }) => offset).sort((a, b) => a - b)).toEqual(names.map((n) => Number(n) + 1));
    expect((await read(core, 0)).messages.sort()).toEqual(names.sort());
  });

  it('is read in pages, and each page continues where the last one ended', async () => {
    const core = await dynamodb.create();
    for (const text of 'abcde') await core.logs.append(log, entry(text));
    expect(await read(core, 0, 2)).toMatchObject({ messages: ['a', 'b'], offset: 2 });
    expect(await read(core, 2, 2)).toMatchObject({ messages: ['c', 'd'], offset: 4 });
    expect(await read(core, 4, 2)).toMatchObject({ messages: ['e'], offset: 5 });
  });

  it('belongs to its tenant', async () => {
    const core = await dynamodb.create();
    await core.logs.append(log, entry('a'));
    expect(await core.logs.open({ ...log, tenant: 'other' })).toMatchObject({ epoch: '', newest: 0 });
  });

  it('that was lost begins again at 1 under another epoch, despite rows of the old epoch', async () => {
    const core = await dynamodb.create();
    const old = await core.logs.append(log, entry('old'));
    await core.logs.append(log, entry('older'));
    await core.db.send(
      new DeleteCommand({ TableName: core.tables.state, Key: { pk: channelKey(log), sk: 'HEAD' } }),
    );
    const fresh = await core.logs.append(log, entry('new'));
    expect(fresh.offset).toBe(1);
    expect(fresh.epoch).not.toBe(old.epoch);
    expect(await read(core, 0)).toMatchObject({ messages: ['new'], offset: 1, isComplete: true });
  });
});

describe('an append that is tried again', () => {
  it('writes once, to the slot that it had taken', async () => {
    const core = await dynamodb.create();
    const message = entry('a');
    let slot: Slot | undefined;
    const remember = (taken: Slot) => Promise.resolve(void (slot = taken));
    await core.logs.append(log, message, { remember });
    const again = await core.logs.append(log, message, { slot, remember });
    expect(again).toEqual(slot);
    expect(await read(core, 0)).toMatchObject({ messages: ['a'], offset: 1 });
  });

  it('takes another slot if a reader has sealed its own', async () => {
    const core = await dynamodb.create();
    const hole = await leaveHole(core);
    await core.logs.append(log, entry('b'));
    expect(await read(core, 0)).toMatchObject({ messages: ['b'], skipped: [1] });

    const late = await core.logs.append(log, entry('late'), {
      slot: hole,
      remember: () => Promise.resolve(),
    });
    expect(late.offset).toBe(3);
    expect(await read(core, 0)).toMatchObject({ messages: ['b', 'late'], skipped: [1] });
  });

  it('takes another slot if the log has a new epoch', async () => {
    const core = await dynamodb.create();
    const slot = { epoch: 'gone', offset: 7, takenAt: core.clock.ms };
    const at = await core.logs.append(log, entry('a'), { slot, remember: () => Promise.resolve() });
    expect(at.offset).toBe(1);
  });
});

describe('a hole', () => {
  it('is waited for, and read if its writer was only slow', async () => {
    const waits: number[] = [];
    const slow: { write?: () => Promise<unknown> } = {};
    const wait = async (ms: number) => {
      waits.push(ms);
      if (waits.length === 2) await slow.write?.();
    };
    const core = await dynamodb.create({ wait });
    const slot = await leaveHole(core);
    const remember = () => Promise.resolve();
    slow.write = () => core.logs.append(log, entry('slow'), { slot, remember });
    await core.logs.append(log, entry('b'));

    const page = await read(core, 0);
    expect(page).toEqual({ messages: ['slow', 'b'], offset: 2, skipped: [], isComplete: true });
    expect(waits).toEqual([50, 100]);
  });

  it('is sealed within a second, skipped and counted; the next reader does not wait', async () => {
    const waits: number[] = [];
    const core = await dynamodb.create({ wait: (ms) => Promise.resolve(waits.push(ms)) });
    await core.logs.append(log, entry('a'));
    await leaveHole(core);
    await leaveHole(core);
    await core.logs.append(log, entry('d'));

    const page = { messages: ['a', 'd'], offset: 4, skipped: [2, 3], isComplete: true };
    expect(await read(core, 0)).toEqual(page);
    expect(waits.reduce((sum, ms) => sum + ms)).toBeLessThan(1000);
    expect(core.warnings).toEqual([expect.stringContaining('"gaps":2')]);
    waits.length = 0;
    expect(await read(core, 0)).toEqual(page);
    expect(waits).toEqual([]);
  });

  it('at the end of the log is sealed too, so that nothing appears later behind a reader', async () => {
    const core = await dynamodb.create();
    await core.logs.append(log, entry('a'));
    await leaveHole(core);
    expect(await read(core, 0)).toMatchObject({ messages: ['a'], offset: 2, skipped: [2], isComplete: true });
  });

  it('that is old is sealed without waiting, because its writer has ended', async () => {
    const waits: number[] = [];
    const core = await dynamodb.create({ wait: (ms) => Promise.resolve(waits.push(ms)) });
    await leaveHole(core);
    core.clock.ms += 61_000;
    expect(await read(core, 0)).toMatchObject({ skipped: [1], isComplete: true });
    expect(waits).toEqual([]);
  });

  it('stays sealed if several readers seal it at once', async () => {
    const core = await dynamodb.create();
    await leaveHole(core);
    const pages = await Promise.all([read(core, 0), read(core, 0), read(core, 0)]);
    expect(pages.map(({ skipped }) => skipped)).toEqual([[1], [1], [1]]);
  });
});

describe('many holes', () => {
  /** The holes of writers that may take offsets but may not write. */
  async function leaveHoles({ db, tables }: Core, count: number): Promise<void> {
    const update = new UpdateCommand({
      TableName: tables.state,
      Key: { pk: channelKey(log), sk: 'HEAD' },
      UpdateExpression: 'ADD #offset :count',
      ExpressionAttributeNames: { '#offset': 'offset' },
      ExpressionAttributeValues: { ':count': count },
    });
    await db.send(update);
  }

  it('are sealed a few at a time, and each page continues after the last one', async () => {
    const core = await dynamodb.create();
    await core.logs.append(log, entry('a'));
    await leaveHoles(core, 120);
    await core.logs.append(log, entry('z'));
    const pages = [await read(core, 0)];
    while ((pages.at(-1)?.offset ?? 0) < 122) pages.push(await read(core, pages.at(-1)?.offset ?? 0));
    expect(pages.map(({ skipped }) => skipped.length)).toEqual([99, 21]);
    expect(pages.flatMap(({ messages }) => messages)).toEqual(['a', 'z']);
    expect(pages.every(({ isComplete }) => isComplete)).toBe(true);
  });

  it('are named in one answer up to a thousand, and the rest in the next', { timeout: 120_000 }, async () => {
    const core = await dynamodb.create();
    await core.logs.append(log, entry('a'));
    await leaveHoles(core, 1200);
    const { epoch } = await core.logs.open(log);
    const identity = { tenant: log.tenant, userType: 'member', userId: '1' };
    const [first] = await core.recover({ identity, connectionId: 'c1=' }, [
      { log, from: { epoch, offset: 1 } },
    ]);
    expect(first).toMatchObject({ offset: 1001, recovered: true, more: true });
    expect(first?.skipped).toHaveLength(1000);
    const [second] = await core.recover({ identity, connectionId: 'c1=' }, [
      { log, from: { epoch, offset: 1001 } },
    ]);
    expect(second).toMatchObject({ offset: 1201, recovered: true });
    expect(second).not.toHaveProperty('more');
    expect(second?.skipped).toHaveLength(200);
  });
});

describe('a log that gets a new epoch while it is read or written', () => {
  async function beginAnew(core: Core): Promise<void> {
    const Key = { pk: channelKey(log), sk: 'HEAD' };
    await core.db.send(new DeleteCommand({ TableName: core.tables.state, Key }));
    core.clock.ms += 1;
    await core.logs.append(log, entry('new'));
  }

  it('shows no new message to a reader of the old epoch, which gets an error', async () => {
    const core = await dynamodb.create();
    await leaveHole(core);
    const before = await core.logs.open(log);
    await beginAnew(core);
    await expect(before.page(0, 100)).rejects.toThrow('new epoch');
    expect(await read(core, 0)).toMatchObject({ messages: ['new'], isComplete: true });
  });

  it('keeps its messages from a writer of the old epoch, which takes another slot', async () => {
    const core = await dynamodb.create();
    let isBegun = false;
    const remember = async () => {
      if (!isBegun) await beginAnew(core);
      isBegun = true;
    };
    expect(await core.logs.append(log, entry('late'), { remember })).toMatchObject({ offset: 2 });
    expect(await read(core, 0)).toMatchObject({ messages: ['new', 'late'], isComplete: true });
  });
});
