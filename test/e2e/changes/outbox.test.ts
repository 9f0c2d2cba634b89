import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { outboxItem } from 'switchboard/change';
import type { Client } from '../client.ts';
import { startStackWithChanges, type StackWithChanges } from './stack-with-changes.ts';

let stack: StackWithChanges;
beforeAll(async () => {
  stack = await startStackWithChanges();
}, 120_000);
afterAll(() => stack.close());
afterEach(() => stack.setFaults({}));

/** Writes a payment once, and its message in the same transaction and the same table. */
async function pay(payment: string, amount: number): Promise<void> {
  const TableName = stack.output('OrdersTable');
  const message = { to: 'topic:orders.paid', type: 'paid', content: { payment, amount } };
  await stack.db.send(
    new TransactWriteCommand({
      TransactItems: [
        {
          Put: {
            TableName,
            Item: { pk: payment, sk: 'payment', amount },
            ConditionExpression: 'attribute_not_exists(pk)',
          },
        },
        { Put: { TableName, Item: outboxItem(message) } },
      ],
    }),
  );
}

async function watcher(user: string): Promise<Client> {
  const client = await stack.connect({ user, topics: ['*'] });
  await client.ask({ type: 'subscribe', id: '1', content: { topic: 'orders.paid' } });
  return client;
}

const paid = (payment: string) => ({ type: 'paid', content: { payment, amount: 5 } });

async function countKills(): Promise<number> {
  const response = await fetch(`${stack.url}/_local/meter`);
  const counts = (await response.json()) as Record<string, number>;
  return counts['faults.killedFunction'] ?? 0;
}

describe('a message in the outbox', () => {
  it('is published once to everyone, with what its transaction wrote', async () => {
    const clients = await Promise.all(['a', 'b', 'c'].map(watcher));
    await pay('first', 5);
    for (const client of clients) {
      expect(await client.next()).toMatchObject(paid('first'));
      await client.expectSilence();
    }
  });

  it('is not published if the transaction fails', async () => {
    const client = await watcher('a');
    await pay('twice', 5);
    await expect(pay('twice', 5)).rejects.toThrow(TransactionCanceledException);
    await pay('after', 5);
    expect(await client.next()).toMatchObject(paid('twice'));
    expect(await client.next()).toMatchObject(paid('after'));
    await client.expectSilence();
  });

  it('is published once, although every batch comes twice', async () => {
    await stack.setFaults({ duplicateDelivery: 1 });
    const client = await watcher('a');
    const payments = Array.from({ length: 10 }, (_, number) => `duplicate-${String(number)}`);
    for (const payment of payments) await pay(payment, 5);
    const frames = [];
    while (frames.length < payments.length) frames.push(await client.next());
    // The last payment comes after all others and their duplicates.
    await pay('duplicate-last', 5);
    const rest = [await client.next(), ...(await client.drain())];
    expect(rest).toMatchObject([paid('duplicate-last')]);
    expect(new Set(frames.map(({ messageId }) => messageId)).size).toBe(10);
  });

  it(
    'is published once, although the functions that publish it are killed',
    { timeout: 150_000 },
    async () => {
      const client = await watcher('a');
      const before = await countKills();
      await stack.setFaults({ killedFunction: 1 });
      await pay('killed', 5);
      await expect.poll(countKills, { timeout: 60_000 }).toBeGreaterThan(before + 2);
      await stack.setFaults({});
      expect(await client.next()).toMatchObject(paid('killed'));
      await pay('alive', 5);
      expect(await client.next()).toMatchObject(paid('alive'));
      await client.expectSilence();
      const kept = await stack.messagesOf('orders.paid');
      expect(kept.filter(({ content }) => JSON.stringify(content).includes('"killed"'))).toHaveLength(1);
    },
  );
});
