import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ticket } from '../../protocol/index.ts';
import { readPage, tableRows } from '../docs/documents.ts';
import { changedAssembly, liftRates, setVariable } from './changed-assembly.ts';
import { Client, type Frame } from './client.ts';
import { type Counts, createMeterGrowth, dynamoDbCounter } from './meter-growth.ts';
import { sendCheck } from './session-checks.ts';
import { signToken, type Stack, startStack } from './stack.ts';

const shards = 3;
const inlineLimit = 2;
const maxSessionsPerUser = 2;

let assembly: string;
let stack: Stack;
beforeAll(async () => {
  assembly = await changedAssembly((template) => {
    setVariable(template, 'SHARDS', String(shards));
    setVariable(template, 'INLINE_LIMIT', String(inlineLimit));
    // Whether a counter of units is written depends on the moment.
    liftRates(template);
    setVariable(template, 'MAX_SESSIONS_PER_USER', String(maxSessionsPerUser));
    for (const { Type, Properties = {} } of Object.values(template.Resources)) {
      // The tick would count in the step of its moment.
      if (Type === 'AWS::Scheduler::Schedule') Properties['State'] = 'DISABLED';
      // What presence adds is measured by a test of its own.
      if (Type === 'AWS::Lambda::EventSourceMapping' && JSON.stringify(Properties).includes('StreamArn'))
        Properties['Enabled'] = false;
    }
  });
  stack = await startStack({ assembly });
});
afterAll(async () => {
  await stack.close();
  await rm(assembly, { recursive: true, force: true });
});

/** The cost of a step: function calls, DynamoDB calls by operation, and write units. */
const { counted, grownSince } = createMeterGrowth(
  () => stack,
  (counter) => (/^lambda\..*\.invocations$/.test(counter) ? 'functions' : dynamoDbCounter(counter)),
);

/** Prepares the step, and resolves to the step itself. */
type Step = (user: string) => Promise<() => Promise<unknown>>;

async function costOf(step: Step): Promise<Counts> {
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

/** Publishes to the only session of a tenant. */
function publish(to: string, differing: Record<string, unknown> = {}): Step {
  return async (user) => {
    await stack.connect({ user, tenant: user });
    const body = { to: to.replace('$user', user), tenant: user, type: 'x', content: 1, ...differing };
    return async () => {
      expect(await stack.publish(body)).toMatchObject({ status: 200, body: { delivered: 1 } });
    };
  };
}

/** Schedules a message for a user in a tenant of the same name. */
function schedule(user: string, deliverAt: number) {
  return stack.publish({ to: `user:member:${user}`, tenant: user, type: 'x', content: 1, deliverAt });
}

/** Recovers a channel whose log holds one message. `epoch` belongs to the client's position. */
function recover(channel: string, epoch?: string, messagesIn?: 'ack'): Step {
  return async (user) => {
    const to = channel === 'user' ? `user:member:${user}` : channel;
    await stack.publish({ to, tenant: user, type: 'x', content: 1, durable: true });
    const client = await stack.connect({ user, tenant: user });
    const content = { channels: [{ channel, epoch }], messagesIn };
    return async () => {
      expect(await answerTo(client, { type: 'recover', content })).toMatchObject({ type: 'ack' });
    };
  };
}

const history: Step = async (user) => {
  const client = await stack.connect({ user });
  await stack.publish({ to: `user:member:${user}`, type: 'x', content: 1, durable: true });
  return () => answerTo(client, { type: 'history', content: { channel: 'user' } });
};

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

/** Refreshes a session with two topics so many times. The last time is the step. */
function refresh(times: number): Step {
  return async (user) => {
    const client = await subscribed(user, 2);
    const claims = { user, type: 'member', tenant: 'default', topics: ['*'], ttlSeconds: 7200 };
    const content = { token: await signToken(claims) };
    const step = async () =>
      expect(await answerTo(client, { type: 'refresh', content })).toMatchObject({ type: 'ack' });
    for (let time = 1; time < times; time += 1) await step();
    return step;
  };
}

async function ticketOf(user: string): Promise<Ticket> {
  const token = await signToken({ user, type: 'member', tenant: 'default', topics: [], ttlSeconds: 60 });
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${stack.url}/tickets`, { method: 'POST', headers });
  return (await response.json()) as Ticket;
}

async function connectionOf(user: string): Promise<string | undefined> {
  const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
  return (body as { sessions: { connectionId: string }[] }).sessions[0]?.connectionId;
}

const recorded = { messageId: '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11' };

/** The rows of the table, in its words. A row with several cases has several measurements. */
const rows: readonly (readonly [row: string, step: Step, cost: Counts])[] = [
  [
    'connect',
    async (user) => {
      await stack.connect({ user });
      return () => stack.connect({ user });
    },
    { functions: 2, GetItem: 1, PutItem: 1, Query: 1, writeUnits: 3 },
  ],
  [
    '… of a tenant or user type that is new today',
    (user) => Promise.resolve(() => stack.connect({ user, tenant: user })),
    { functions: 2, GetItem: 1, PutItem: 3, Query: 1, writeUnits: 5 },
  ],
  [
    '… above `maxSessionsPerUser`',
    async (user) => {
      const oldest = await stack.connect({ user });
      for (let session = 1; session < maxSessionsPerUser; session += 1) await stack.connect({ user });
      return async () => {
        const before = counted();
        await stack.connect({ user });
        await oldest.closed();
        await expect.poll(() => grownSince(before)['DeleteItem'], { timeout: 15_000 }).toBe(2);
      };
    },
    { functions: 4, PutItem: 1, Query: 1, GetItem: 2, UpdateItem: 2, DeleteItem: 2, writeUnits: 9 },
  ],
  [
    'check of an expiry',
    async (user) => {
      await stack.connect({ user, ttlSeconds: 3 * 3600 });
      const connectionId = await connectionOf(user);
      return async () => {
        const before = counted();
        await sendCheck(stack, { tenant: 'default', userType: 'member', userId: user, connectionId });
        await expect.poll(() => grownSince(before)['GetItem'], { timeout: 15_000 }).toBe(1);
      };
    },
    { functions: 1, GetItem: 1 },
  ],
  [
    'session that is closed by a check',
    async (user) => {
      const client = await stack.connect({ user, ttlSeconds: 8 });
      return async () => {
        const before = counted();
        await client.closed();
        await expect.poll(() => grownSince(before)['DeleteItem'], { timeout: 15_000 }).toBe(2);
      };
    },
    { functions: 2, GetItem: 1, UpdateItem: 1, DeleteItem: 2, writeUnits: 5 },
  ],
  [
    'ticket',
    (user) => Promise.resolve(() => ticketOf(user)),
    { functions: 2, GetItem: 1, PutItem: 1, writeUnits: 1 },
  ],
  [
    '… and connect with it',
    async (user) => {
      const { ticket } = await ticketOf(user);
      return () => Client.open(`${stack.url.replace('http', 'ws')}/live?token=${ticket}`);
    },
    { functions: 2, DeleteItem: 1, GetItem: 1, PutItem: 1, Query: 1, writeUnits: 4 },
  ],
  [
    'message from a client',
    async (user) => {
      const client = await stack.connect({ user });
      return async () => expect(await answerTo(client, { type: 'ping' })).toMatchObject({ type: 'pong' });
    },
    { functions: 1 },
  ],
  [
    'message from a client',
    async (user) => {
      const client = await stack.connect({ user });
      return async () => expect(await answerTo(client, { type: 'unknown' })).toMatchObject({ type: 'error' });
    },
    { functions: 1, GetItem: 1 },
  ],
  ['publish to a user', publish('user:member:$user'), { functions: 1, Query: 1 }],
  [
    '… that reaches nobody',
    (user) =>
      Promise.resolve(() => stack.publish({ to: 'user:member:1', tenant: user, type: 'x', content: 1 })),
    { functions: 1, Query: 1, GetItem: 1 },
  ],
  [
    '… with a `messageId`',
    publish('user:member:$user', recorded),
    { functions: 1, PutItem: 1, Query: 1, UpdateItem: 1, writeUnits: 2 },
  ],
  [
    'publish with a `deliverAt`',
    (user) =>
      Promise.resolve(async () => {
        expect(await schedule(user, Date.now() + 3_600_000)).toMatchObject({ status: 202 });
      }),
    { functions: 1, PutItem: 3, writeUnits: 3 },
  ],
  [
    '… and its delivery to a user',
    async (user) => {
      const client = await stack.connect({ user, tenant: user });
      await schedule(user, Date.now() + 2000);
      return async () => {
        const before = counted();
        expect(await client.next()).toMatchObject({ type: 'x' });
        await expect.poll(() => grownSince(before)['BatchWriteItem'], { timeout: 15_000 }).toBe(1);
      };
    },
    { functions: 1, BatchGetItem: 1, UpdateItem: 2, Query: 1, BatchWriteItem: 1, writeUnits: 4 },
  ],
  [
    '… or its cancel',
    async (user) => {
      const { body } = await schedule(user, Date.now() + 3_600_000);
      const path = `/publications/${(body as { messageId: string }).messageId}?tenant=${user}`;
      return async () => expect(await stack.call('DELETE', path)).toMatchObject({ status: 200 });
    },
    { functions: 1, UpdateItem: 1, DeleteItem: 2, writeUnits: 3 },
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
  ['recover, per channel', recover('user'), { functions: 1, GetItem: 2 }],
  ['recover, per channel', recover('user', '', 'ack'), { functions: 1, GetItem: 2, Query: 1 }],
  [
    '… without `messagesIn`',
    recover('user', ''),
    { functions: 1, GetItem: 2, Query: 1, UpdateItem: 3, writeUnits: 3 },
  ],
  ['recover, per channel', recover('everyone'), { functions: 1, GetItem: 2, Query: 1 }],
  ['history', history, { functions: 1, GetItem: 2, Query: 1 }],
  [
    'subscribe',
    async (user) => {
      await subscribed(randomUUID(), 1);
      const client = await stack.connect({ user, topics: ['*'] });
      return () => answerTo(client, { type: 'subscribe', content: { topic: 'topic-1' } });
    },
    { functions: 1, UpdateItem: 1, PutItem: 1, GetItem: 4, writeUnits: 2 },
  ],
  [
    '… to a topic that is new today',
    async (user) => {
      const client = await stack.connect({ user, topics: ['*'] });
      return () => answerTo(client, { type: 'subscribe', content: { topic: user } });
    },
    { functions: 1, UpdateItem: 1, PutItem: 2, GetItem: 4, writeUnits: 3 },
  ],
  [
    '… to a topic that is held',
    async (user) => {
      const client = await subscribed(user, 1);
      return () => answerTo(client, { type: 'subscribe', content: { topic: 'topic-1' } });
    },
    { functions: 1, GetItem: 4 },
  ],
  [
    'unsubscribe',
    async (user) => {
      const client = await subscribed(user, 1);
      return () => answerTo(client, { type: 'unsubscribe', content: { topic: 'topic-1' } });
    },
    { functions: 1, UpdateItem: 1, DeleteItem: 1, GetItem: 3, writeUnits: 2 },
  ],
  ['refresh', refresh(1), { functions: 1, UpdateItem: 3, GetItem: 5, writeUnits: 5 }],
  ['… that changes nothing', refresh(2), { functions: 1, GetItem: 5 }],
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
