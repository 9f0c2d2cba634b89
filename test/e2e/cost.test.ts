import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signToken } from '../../cli/sign-token.ts';
import { readPage, tableRows } from '../docs/documents.ts';
import { changedAssembly, setVariable } from './changed-assembly.ts';
import type { Client, Frame } from './client.ts';
import { startStack, type Stack } from './stack.ts';

const shards = 3;
const inlineLimit = 2;

let assembly: string;
let stack: Stack;
beforeAll(async () => {
  assembly = await changedAssembly((template) => {
    setVariable(template, 'SHARDS', String(shards));
    setVariable(template, 'INLINE_LIMIT', String(inlineLimit));
  });
  stack = await startStack({ assembly });
});
afterAll(async () => {
  await stack.close();
  await rm(assembly, { recursive: true, force: true });
});

/** The cost of a step: function calls, DynamoDB calls by operation, and write units. */
type Cost = Readonly<Record<string, number>>;

/** Prepares the step, and resolves to the step itself. */
type Step = (user: string) => Promise<() => Promise<unknown>>;

function counted(): Cost {
  const counts: Record<string, number> = {};
  for (const [name, count] of Object.entries(stack.cloud.meter.snapshot())) {
    const [, operation] = /^dynamodb\.([A-Z]\w+|writeUnits)$/.exec(name) ?? [];
    if (operation !== undefined) counts[operation] = count;
    if (/^lambda\..*\.invocations$/.test(name)) counts['functions'] = (counts['functions'] ?? 0) + count;
  }
  return counts;
}

function grownSince(before: Cost): Cost {
  const grown = Object.entries(counted()).map(
    ([name, count]) => [name, count - (before[name] ?? 0)] as const,
  );
  return Object.fromEntries(grown.filter(([, by]) => by > 0));
}

async function costOf(step: Step): Promise<Cost> {
  const act = await step(randomUUID());
  const before = counted();
  await act();
  return grownSince(before);
}

/** Sends a frame and resolves to its answer. Skips the frames before the answer. */
async function answerTo(client: Client, frame: Frame): Promise<Frame> {
  let answer = await client.ask({ ...frame, id: 'step' });
  while (answer['id'] !== 'step') answer = await client.next();
  return answer;
}

function publish(to: string, differing: Record<string, unknown> = {}): Step {
  return (user) => {
    const body = { to: to.replace('$user', user), tenant: user, type: 'x', content: 1, ...differing };
    return Promise.resolve(async () => {
      expect(await stack.publish(body)).toMatchObject({ status: 200 });
    });
  };
}

/** Recovers a channel whose log holds one message. `epoch` belongs to the client's position. */
function recover(channel: string, epoch?: string): Step {
  return async (user) => {
    const log = channel === 'user' ? `user:member:${user}` : channel;
    await (
      await publish(log, { durable: true })(user)
    )();
    const client = await stack.connect({ user, tenant: user });
    const content = { channels: [{ channel, epoch }] };
    return async () => {
      expect(await answerTo(client, { type: 'recover', content })).toMatchObject({ type: 'ack' });
    };
  };
}

async function subscribed(user: string, topics: number): Promise<Client> {
  const client = await stack.connect({ user, topics: ['*'] });
  for (let topic = 1; topic <= topics; topic += 1) {
    const content = { topic: `topic-${String(topic)}` };
    expect(await answerTo(client, { type: 'subscribe', content })).toMatchObject({ type: 'ack' });
  }
  return client;
}

function disconnect(topics: number): Step {
  return async (user) => {
    const client = await subscribed(user, topics);
    const ended = () => stack.lines.filter((line) => line.startsWith('DISCONNECT')).length;
    const before = ended();
    return async () => {
      await client.close();
      await expect.poll(ended, { timeout: 15_000 }).toBe(before + 1);
    };
  };
}

const recorded = { messageId: '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11' };

/** The rows of the table, in its words. A row with several cases has several measurements. */
const rows: readonly (readonly [row: string, step: Step, cost: Cost])[] = [
  [
    'connect',
    (user) => Promise.resolve(() => stack.connect({ user })),
    { functions: 2, PutItem: 1, writeUnits: 3 },
  ],
  [
    'message from a client',
    async (user) => {
      const client = await stack.connect({ user });
      return async () => expect(await answerTo(client, { type: 'ping' })).toMatchObject({ type: 'pong' });
    },
    { functions: 1 },
  ],
  ['publish to a user', publish('user:member:$user'), { functions: 1, Query: 1 }],
  [
    '… with a `messageId`',
    publish('user:member:$user', recorded),
    { functions: 1, PutItem: 1, Query: 1, UpdateItem: 1, writeUnits: 2 },
  ],
  ['publish to a type or everyone', publish('type:member'), { functions: 1, Query: shards }],
  ['publish to a type or everyone', publish('everyone'), { functions: 1, Query: shards }],
  [
    '… that is durable',
    publish('user:member:$user', { durable: true }),
    { functions: 1, Query: 1, UpdateItem: 1, PutItem: 1, writeUnits: 2 },
  ],
  [
    '… both',
    publish('user:member:$user', { durable: true, ...recorded }),
    { functions: 1, Query: 1, UpdateItem: 3, PutItem: 2, writeUnits: 5 },
  ],
  ['recover, per channel', recover('user'), { functions: 1, GetItem: 1 }],
  [
    'recover, per channel',
    recover('user', ''),
    { functions: 1, GetItem: 1, Query: 1, UpdateItem: 2, writeUnits: 2 },
  ],
  ['recover, per channel', recover('everyone'), { functions: 1, GetItem: 1, Query: 1 }],
  [
    'subscribe',
    async (user) => {
      const client = await stack.connect({ user, topics: ['*'] });
      return () => answerTo(client, { type: 'subscribe', content: { topic: 'orders' } });
    },
    { functions: 1, UpdateItem: 1, PutItem: 1, GetItem: 2, writeUnits: 2 },
  ],
  [
    'refresh',
    async (user) => {
      const client = await subscribed(user, 2);
      const claims = { user, type: 'member', tenant: 'default', topics: ['*'], ttlSeconds: 7200 };
      const content = { token: await signToken(claims) };
      return async () =>
        expect(await answerTo(client, { type: 'refresh', content })).toMatchObject({ type: 'ack' });
    },
    { functions: 1, UpdateItem: 3, GetItem: 1, writeUnits: 5 },
  ],
  ['disconnect', disconnect(0), { functions: 1, DeleteItem: 1, writeUnits: 3 }],
  ['disconnect', disconnect(2), { functions: 1, DeleteItem: 1, BatchWriteItem: 1, writeUnits: 5 }],
];

const largeRow = 'publish to more than `inlineLimit`';

describe('the table of costs in docs/architecture.md', () => {
  it('has a measurement for each row', () => {
    const written = tableRows(readPage('docs/architecture.md'), 'step', 'Lambda calls').map(([step]) => step);
    expect(new Set(written)).toEqual(new Set([...rows.map(([row]) => row), largeRow]));
  });

  it.each(rows)('gives the measured cost of: %s', async (_row, step, cost) => {
    expect(await costOf(step)).toEqual(cost);
  });

  it(`gives the measured cost of: ${largeRow}`, async () => {
    const tenant = randomUUID();
    const users = Array.from({ length: inlineLimit + 1 }, (_, index) => String(index));
    const clients = await Promise.all(users.map((user) => stack.connect({ user, tenant })));
    const before = counted();
    const { body } = await stack.publish({ to: 'everyone', tenant, type: 'x', content: 1 });
    expect(body).toMatchObject({ status: 'accepted', shards });
    for (const client of clients) expect(await client.next()).toMatchObject({ type: 'x' });
    // The checkpoint is the last call of a worker.
    const updates = () => grownSince(before)['UpdateItem'];
    await expect.poll(updates, { timeout: 15_000 }).toBe(1 + shards);
    expect(grownSince(before)).toEqual({
      functions: 1 + shards,
      PutItem: 1 + shards,
      Query: shards + 2 * shards,
      GetItem: shards,
      UpdateItem: 1 + shards,
      writeUnits: 2 + 2 * shards,
    });
  });
});
