import assert from 'node:assert/strict';
import { test } from 'node:test';
import map from './order-changes.ts';

const change = { id: '1', time: 0, keys: { userId: '42', orderId: 'order-1' } };
const order = { orderId: 'order-1', sku: 'tea', quantity: 2 };

test('an order that is gone is told to the topic, and a new one is not', async () => {
  assert.deepEqual(await map({ kind: 'remove', ...change, before: order }), {
    to: 'topic:orders',
    type: 'order-cancelled',
    content: { orderId: 'order-1' },
  });
  assert.equal(await map({ kind: 'insert', ...change, after: order }), null);
});
