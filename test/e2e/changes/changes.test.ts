import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Client, Frame } from '../client.ts';
import type { Order } from './order-changes.ts';
import { startStackWithChanges, type StackWithChanges } from './stack-with-changes.ts';

let stack: StackWithChanges;
beforeAll(async () => {
  stack = await startStackWithChanges();
}, 120_000);
afterAll(() => stack.close());
afterEach(() => stack.setFaults({}));

const patiently = { timeout: 15_000 };

async function put(order: Omit<Order, 'sk'>): Promise<void> {
  await stack.db.send(
    new PutCommand({ TableName: stack.output('OrdersTable'), Item: { sk: 'order', ...order } }),
  );
}

async function setStatus(pk: string, status: string): Promise<void> {
  await stack.db.send(
    new UpdateCommand({
      TableName: stack.output('OrdersTable'),
      Key: { pk, sk: 'order' },
      UpdateExpression: 'SET #status = :status',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':status': status },
    }),
  );
}

async function remove(pk: string): Promise<void> {
  await stack.db.send(
    new DeleteCommand({ TableName: stack.output('OrdersTable'), Key: { pk, sk: 'order' } }),
  );
}

/** Connects a user who is subscribed to the topic of an order. */
async function watcher(user: string, pk: string, tenant = 'default'): Promise<Client> {
  const client = await stack.connect({ user, tenant, topics: ['*'] });
  await client.ask({ type: 'subscribe', id: '1', content: { topic: `orders.${pk}` } });
  return client;
}

/** What one topic has got so far: the contents in their order. */
async function contentsOf(pk: string): Promise<unknown[]> {
  return (await stack.messagesOf(`orders.${pk}`)).map(({ content }) => content);
}

const shown = ({ type, content, channel, offset }: Frame) => ({ type, content, channel, offset });

describe('a row that changes', () => {
  it('is told to everyone who watches it, with the row before and after', async () => {
    const clients = await Promise.all(['a', 'b', 'c'].map((user) => watcher(user, 'row')));
    await put({ pk: 'row', status: 'ordered' });
    await setStatus('row', 'paid');
    await remove('row');
    for (const client of clients) {
      const frames = [await client.next(), await client.next(), await client.next()];
      const channel = 'topic:orders.row';
      expect(frames.map(shown)).toEqual([
        { type: 'order-insert', content: { before: null, after: 'ordered' }, channel, offset: 1 },
        { type: 'order-modify', content: { before: 'ordered', after: 'paid' }, channel, offset: 2 },
        { type: 'order-remove', content: { before: 'paid', after: null }, channel, offset: 3 },
      ]);
      await client.expectSilence();
    }
  });

  it('is told in the tenant that the mapping names, and in no other', async () => {
    const [ours, others] = [await watcher('a', 'bound', 'acme'), await watcher('a', 'bound')];
    await put({ pk: 'bound', status: 'ordered', tenant: 'acme' });
    expect(await ours.next()).toMatchObject({ type: 'order-insert' });
    await others.expectSilence();
  });

  it('is told to nobody if the mapping returns null', async () => {
    const client = await watcher('a', 'quiet');
    await put({ pk: 'quiet', status: 'ordered', fault: 'no message' });
    await put({ pk: 'quiet', status: 'paid' });
    expect(await client.next()).toMatchObject({
      type: 'order-modify',
      content: { after: 'paid' },
      offset: 1,
    });
  });
});

describe('the cost of a change', () => {
  it('is a call of the mapping, a request, and a publish with a messageId', async () => {
    const client = await watcher('a', 'cost');
    const counts = () => {
      const snapshot = Object.entries(stack.cloud.meter.snapshot());
      const calls = snapshot.map(([name, count]): [string, number] => [
        /^lambda\.(?:Switchboard)?(.+?)[0-9A-F]{8}\.invocations$/.exec(name)?.[1] ?? '',
        count,
      ]);
      return new Map(calls.filter(([name]) => name !== ''));
    };
    const before = counts();
    await put({ pk: 'cost', status: 'ordered' });
    await client.next();
    const grown = [...counts()].filter(([name, count]) => count > (before.get(name) ?? 0));
    expect(grown.map(([name, count]) => [name, count - (before.get(name) ?? 0)]).toSorted()).toEqual([
      ['OrderChangesFunction', 1],
      ['Publish', 1],
    ]);
  });
});

describe('the changes of many rows', () => {
  const keys = Array.from({ length: 6 }, (_, number) => `many-${String(number)}`);
  const statuses = Array.from({ length: 5 }, (_, number) => String(number));

  async function writeAll(prefix: string): Promise<void> {
    await Promise.all(
      keys.map(async (key) => {
        for (const status of statuses) await put({ pk: prefix + key, status });
      }),
    );
  }

  const expected = statuses.map((after, index) => ({ before: statuses[index - 1] ?? null, after }));

  it('keep the order of each row, although batches come twice', { timeout: 60_000 }, async () => {
    await stack.setFaults({ duplicateDelivery: 0.5 });
    const client = await watcher('a', `twice-${keys[0] ?? ''}`);
    await writeAll('twice-');
    for (const key of keys)
      await expect.poll(() => contentsOf(`twice-${key}`), { timeout: 40_000 }).toEqual(expected);
    const frames = await client.drain();
    expect(frames.map(({ content }) => content)).toEqual(expected);
  });

  it('are all told once and in order, although functions are killed', { timeout: 240_000 }, async () => {
    await stack.setFaults({ killedFunction: 0.05, seed: 5 });
    await writeAll('killed-');
    for (const key of keys)
      await expect.poll(() => contentsOf(`killed-${key}`), { timeout: 200_000 }).toEqual(expected);
  });
});

describe('a mapping that fails', () => {
  it('is called again, and its change is told in order', { timeout: 30_000 }, async () => {
    await put({ pk: 'again', status: 'ordered', fault: 'throws once' });
    await put({ pk: 'again', status: 'paid' });
    await expect
      .poll(() => contentsOf('again'), patiently)
      .toEqual([
        { before: null, after: 'ordered' },
        { before: 'ordered', after: 'paid' },
      ]);
  });

  it('makes its change a dead letter, and other rows go on', { timeout: 60_000 }, async () => {
    const keys = Array.from({ length: 30 }, (_, number) => `others-${String(number)}`);
    await put({ pk: 'broken', status: 'ordered', fault: 'throws' });
    for (const pk of keys) await put({ pk, status: 'ordered' });
    for (const pk of keys) await expect.poll(() => contentsOf(pk), patiently).toHaveLength(1);
    expect(await stack.deadLetter('OrderLetters')).toEqual({
      itemIdentifier: expect.any(String) as unknown,
      error: { message: 'The mapping has a bug.' },
      change: {
        kind: 'insert',
        id: expect.any(String) as unknown,
        time: expect.any(Number) as unknown,
        keys: { pk: 'broken', sk: 'order' },
        after: { pk: 'broken', sk: 'order', status: 'ordered', fault: 'throws' },
      },
    });
    // The row itself goes on.
    await put({ pk: 'broken', status: 'paid' });
    await expect.poll(() => contentsOf('broken'), patiently).toEqual([{ before: 'ordered', after: 'paid' }]);
  });

  it('with a message that nobody could publish is not called again: the letter names the field', async () => {
    await put({ pk: 'bad', status: 'ordered', fault: 'bad message' });
    const { error } = await stack.deadLetter('OrderLetters');
    expect(error).toMatchObject({ code: 'bad_request', message: expect.stringMatching(/^to: /) as unknown });
    await put({ pk: 'bad', status: 'paid' });
    await expect.poll(() => contentsOf('bad'), patiently).toHaveLength(1);
    const logged = stack.lines.filter(
      (line) => line.includes('change not mapped') && line.includes('bad_request'),
    );
    expect(logged).toHaveLength(1);
  });
});

describe('an event of EventBridge', () => {
  async function putEvent(source: string, detail: object): Promise<void> {
    const entry = { EventBusName: stack.output('BusName'), Source: source, DetailType: 'Shipped' };
    const Entries = [{ ...entry, Detail: JSON.stringify(detail) }];
    await stack.eventBridge.send(new PutEventsCommand({ Entries }));
  }

  it('is told as the mapping says, once, although the queue delivers it twice', async () => {
    await stack.setFaults({ duplicateDelivery: 1 });
    const customer = await stack.connect({ user: '42' });
    const watchers = await Promise.all(
      ['43', '44'].map(async (user) => {
        const client = await stack.connect({ user, topics: ['shipments'] });
        await client.ask({ type: 'subscribe', id: '1', content: { topic: 'shipments' } });
        return client;
      }),
    );
    await putEvent('elsewhere', { orderId: '0', to: 'user:member:42' });
    for (const orderId of ['1', '2']) await putEvent('warehouse', { orderId, to: 'user:member:42' });
    const frames = [await customer.next(), await customer.next()];
    expect(frames.map(({ content }) => content)).toEqual(
      expect.arrayContaining(['1', '2'].map((orderId) => ({ orderId, at: expect.any(Number) as unknown }))),
    );
    for (const client of watchers) {
      for (let count = 0; count < 2; count += 1)
        expect(await client.next()).toMatchObject({
          content: { source: 'warehouse', detailType: 'Shipped' },
        });
    }
    // A third event comes after what the duplicates of the first two would bring.
    await putEvent('warehouse', { orderId: '3', to: 'user:member:42' });
    expect(await customer.next()).toMatchObject({ content: { orderId: '3' } });
  });

  it('that makes a bad message is a dead letter', async () => {
    await putEvent('warehouse', { orderId: '4', to: 'user:42' });
    expect(await stack.deadLetter('ShipmentLetters')).toMatchObject({
      error: { code: 'bad_request' },
      change: { source: 'warehouse', detailType: 'Shipped', detail: { orderId: '4' } },
    });
  });
});

describe('the rights of the functions', () => {
  it('are enough for all of this, and none of them is unused', async () => {
    expect(stack.cloud.deniedCalls()).toEqual([]);
    const unused = () =>
      stack.cloud
        .grants()
        // The laptop cloud has no CloudWatch. Another test uses the outbox.
        .filter(({ action }) => !action.startsWith('logs:'))
        .filter(({ function: name, calls }) => /OrderChanges|Shipments/.test(name) && calls === 0)
        .map(({ function: name, action, resource }) => `${name} ${action} ${resource}`);
    await expect.poll(unused).toEqual([]);
  });
});
