import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callListener } from 'switchboard/testing';
import { createListeners } from './order-listeners.ts';
import type { Order, Orders } from './orders.ts';

/** Orders in memory. */
function ordersInMemory(): Orders {
  const all: (Order & { userId: string })[] = [];
  return {
    async add(userId, order) {
      const added = { orderId: `order-${all.length + 1}`, ...order };
      all.push({ userId, ...added });
      return added;
    },
    list: async (userId) => all.filter((order) => order.userId === userId),
    async remove(userId, orderId) {
      const index = all.findIndex((order) => order.userId === userId && order.orderId === orderId);
      if (index >= 0) all.splice(index, 1);
    },
  };
}

test('an order is stored, acked and sent to the topic', async () => {
  const listeners = createListeners(ordersInMemory());
  const content = { sku: 'tea', quantity: 2 };
  const { ack, sent } = await callListener(
    listeners,
    { type: 'order-create', content },
    { from: { userId: '42' } },
  );
  assert.deepEqual(ack, { orderId: 'order-1', ...content });
  assert.deepEqual(
    sent.map(({ to, type }) => [to, type]),
    [[['topic:orders'], 'order-created']],
  );
});

test('too large an order is refused', async () => {
  const listeners = createListeners(ordersInMemory());
  const { error } = await callListener(listeners, {
    type: 'order-create',
    content: { sku: 'tea', quantity: 101 },
  });
  assert.equal(error?.code, 'bad_content');
});
