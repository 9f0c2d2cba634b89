import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readPage, tableRows } from '../../docs/documents.ts';
import type { Client } from '../client.ts';
import type { Stack } from '../stack.ts';
import { graceSeconds, startPresenceStack } from './presence-stack.ts';
import { Watcher } from './watcher.ts';

const shards = 2;
let stack: Stack;
let watcher: Watcher;
beforeAll(async () => {
  stack = await startPresenceStack({ shards });
  await afterRead(async () => {
    watcher = await Watcher.open(stack, { user: 'watcher', type: 'watcher', claims: { watch: ['*'] } });
  });
});
afterAll(() => stack.close());

type Counts = Readonly<Record<string, number>>;

/** Calls of the function `presence` and of the queue, and of DynamoDB by operation. */
function counted(): Counts {
  const counts: Record<string, number> = {};
  for (const [name, count] of Object.entries(stack.cloud.meter.snapshot())) {
    const [, operation] = /^dynamodb\.([A-Z]\w+|writeUnits)$/.exec(name) ?? [];
    if (operation !== undefined) counts[operation] = count;
    if (/PresenceFunction.*\.invocations$/.test(name)) counts['presence'] = count;
  }
  return counts;
}

function grownSince(before: Counts): Counts {
  const grown = Object.entries(counted()).map(
    ([name, count]) => [name, count - (before[name] ?? 0)] as const,
  );
  return Object.fromEntries(grown.filter(([, by]) => by > 0));
}

/** What a step costs, after all that it leads to. */
async function expectCost(step: () => Promise<unknown>, cost: Counts): Promise<void> {
  const before = counted();
  await step();
  await expect.poll(() => grownSince(before), { timeout: 30_000 }).toEqual(cost);
}

/** What the step costs without presence (docs/architecture.md). */
const connect = { GetItem: 1, PutItem: 1, writeUnits: 3 };

let users = 0;
const newUser = () => `user-${String((users += 1))}`;

/** Waits until the function has read whether somebody watches. */
async function afterRead(step: () => Promise<unknown>): Promise<void> {
  const reads = () => counted()['BatchGetItem'] ?? 0;
  const before = reads();
  await step();
  await vi.waitFor(() => expect(reads()).toBe(before + 1), { timeout: 30_000 });
}

async function connected(): Promise<Client> {
  let client: Client | undefined;
  await afterRead(async () => {
    client = await stack.connect({ user: newUser(), topics: ['*'] });
  });
  if (!client) throw new Error('The client is connected.');
  return client;
}

describe('the table of what presence adds in docs/architecture.md', () => {
  it('has a measurement for each row', () => {
    const rows = tableRows(readPage('docs/architecture.md'), 'what presence adds', 'Lambda calls');
    expect(rows.map(([row]) => row)).toEqual([
      'connect, nobody watches',
      'disconnect, nobody watches',
      'subscribe, nobody watches',
      'first watch of a user who is offline',
      'connect of a watched user',
      'disconnect of a watched user',
      'join of a watched topic',
    ]);
  });

  it('is right about sessions that nobody watches', async () => {
    let client: Client | undefined;
    await expectCost(
      async () => {
        client = await stack.connect({ user: newUser(), topics: ['*'] });
      },
      { ...connect, presence: 1, Query: 1, BatchGetItem: 1 },
    );
    await expectCost(
      async () =>
        expect(await client?.ask({ type: 'subscribe', id: '1', content: { topic: 'quiet' } })).toMatchObject({
          type: 'ack',
        }),
      { presence: 1, BatchGetItem: 1, UpdateItem: 1, PutItem: 1, GetItem: 4, writeUnits: 2 },
    );
    const other = await connected();
    await expectCost(() => other.close(), {
      ...{ presence: 1, BatchGetItem: 1, UpdateItem: 1 },
      ...{ DeleteItem: 1, writeUnits: 4 },
    });
  });

  it('is right about a watched user', async () => {
    const user = newUser();
    await expectCost(() => watcher.watch({ users: [`member:${user}`] }), {
      // Of the frame: the session before the frame, and before and after the subscription.
      ...{ GetItem: 3, PutItem: 1, Query: 2 },
      ...{ UpdateItem: 5, writeUnits: 6 },
    });
    const before = watcher.told.length;
    let client: Client | undefined;
    await expectCost(
      async () => {
        client = await stack.connect({ user });
        await watcher.toldOf(before + 1);
      },
      {
        ...{ GetItem: connect.GetItem, PutItem: connect.PutItem, presence: 1, BatchGetItem: 1 },
        ...{ Query: 2 + shards, UpdateItem: 3, writeUnits: connect.writeUnits + 3 },
      },
    );
    await expectCost(
      async () => {
        await client?.close();
        await watcher.toldOf(before + 2);
      },
      {
        ...{ presence: 2, BatchGetItem: 2, DeleteItem: 1 },
        ...{ Query: 2 + shards, UpdateItem: 5, writeUnits: 3 + 5 },
      },
    );
    expect(graceSeconds).toBeGreaterThan(0);
  });

  it('is right about a join of a watched topic', async () => {
    await watcher.watch({ topics: ['busy'] });
    const client = await connected();
    const before = watcher.told.length;
    await expectCost(
      async () => {
        await client.ask({ type: 'subscribe', id: '1', content: { topic: 'busy' } });
        await watcher.toldOf(before + 1);
      },
      {
        // Of the subscription itself: 1 UpdateItem, 1 PutItem, 4 GetItem.
        ...{ presence: 1, BatchGetItem: 1, GetItem: 5, PutItem: 1 },
        ...{ Query: 1 + shards, UpdateItem: 3, writeUnits: 4 },
      },
    );
  });
});
