import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPage, tableRows } from '../../docs/documents.ts';
import { useEndpoint } from '../../core/targets/endpoint.ts';
import { createMeterGrowth, dynamoDbCounter } from '../meter-growth.ts';
import type { Stack } from '../stack.ts';
import { startStackWithTargets } from './stack-with-targets.ts';

const endpoint = useEndpoint();
let stack: Stack;
beforeAll(async () => {
  stack = await startStackWithTargets(endpoint.url);
});
afterAll(() => stack.close());

/** Calls of functions by a part of their logical ids, and of the other services. */
const { counted, grownSince } = createMeterGrowth(
  () => stack,
  (counter) =>
    /^lambda\.(?:Switchboard)?(.+?)[0-9A-F]{8}\.invocations$/.exec(counter)?.[1] ?? dynamoDbCounter(counter),
);

/** Connects, and waits until each lifecycle target was called. */
async function connect(user: string) {
  const paths = ['/lifecycle', '/failing'];
  const told = paths.map((at) =>
    endpoint.requests.next(({ path, body }) => path === at && body.includes(user)),
  );
  const client = await stack.connect({ user });
  await Promise.all(told);
  await expect
    .poll(() => stack.lines.some((line) => line.includes('told') && line.includes(user)))
    .toBe(true);
  return client;
}

describe('the table of what targets add in docs/architecture.md', () => {
  it('has a measurement for each row', () => {
    const rows = tableRows(readPage('docs/architecture.md'), 'what a target adds', 'Lambda calls');
    expect(rows.map(([row]) => row)).toEqual([
      'message to a function',
      'message to an endpoint',
      'session that begins, if there are lifecycle targets',
      'session that ends, if there are lifecycle targets',
      'lifecycle target that failed',
    ]);
  });

  it('is right about a message to a function', async () => {
    const client = await connect('cost-1');
    const before = counted();
    await client.ask({ type: 'order-create', id: '1' });
    expect(grownSince(before)).toEqual({ GetItem: 1, Message: 1, Orders: 1 });
  });

  it('is right about a message to an endpoint: the secret is read once', async () => {
    const client = await connect('cost-2');
    const before = counted();
    const reads = () => stack.cloud.meter.snapshot()['secretsmanager.GetSecretValue'] ?? 0;
    const readsBefore = reads();
    for (const id of ['1', '2']) await client.ask({ type: 'crm-find', id });
    expect(grownSince(before)).toEqual({ GetItem: 2, Message: 2 });
    expect(reads() - readsBefore).toBe(1);
  });

  it('is right about a session that begins and ends', async () => {
    const before = counted();
    const client = await connect('cost-4');
    const begin = {
      Authorize: 1,
      Connect: 1,
      GetItem: 1,
      PutItem: 1,
      Query: 1,
      writeUnits: 3,
      LifecycleFunction: 1,
      Orders: 1,
    };
    await expect.poll(() => grownSince(before)).toEqual(begin);
    const between = counted();
    await client.close();
    await expect
      .poll(() => grownSince(between))
      .toEqual({
        Disconnect: 1,
        UpdateItem: 1,
        DeleteItem: 1,
        writeUnits: 4,
        LifecycleFunction: 1,
        Orders: 1,
      });
  });

  it('is right about a lifecycle target that failed: one more call of the function for each retry', async () => {
    let failures = 0;
    endpoint.respond = (response, { path }) => {
      const fails = path === '/failing' && (failures += 1) === 1;
      response.writeHead(fails ? 500 : 204).end();
    };
    const before = counted();
    await connect('cost-6');
    await expect.poll(() => failures, { timeout: 30_000 }).toBe(2);
    expect(grownSince(before)).toMatchObject({ LifecycleFunction: 2, Orders: 1 });
  });
});
