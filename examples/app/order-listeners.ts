import { defineListener, type Listener, Refusal } from 'switchboard/listener';
import * as z from 'zod';
import type { Orders } from './orders.ts';

const mostPerOrder = 100;

/** The message types of the shop. */
export function createListeners(orders: Orders): Listener[] {
  return [
    defineListener({
      type: 'order-create',
      content: z.object({ sku: z.string(), quantity: z.int().min(1) }),
      async handle({ content: { sku, quantity }, from, send, log }) {
        if (quantity > mostPerOrder)
          throw Refusal.at('bad_content', 'content.quantity', `must be at most ${mostPerOrder}`);
        const order = await orders.add(from.userId, { sku, quantity });
        log.info('order created', { orderId: order.orderId });
        await send('topic:orders', 'order-created', order);
        return order;
      },
    }),
    defineListener({
      type: 'order-list',
      content: z.object({}).optional(),
      handle: async ({ from }) => ({ orders: await orders.list(from.userId) }),
    }),
    defineListener({
      type: 'order-cancel',
      content: z.object({ orderId: z.string() }),
      // It sends nothing: the row that is gone is told by order-changes.ts.
      async handle({ content: { orderId }, from }) {
        await orders.remove(from.userId, orderId);
        return { orderId };
      },
    }),
  ];
}
