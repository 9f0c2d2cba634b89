import { defineChange, type TableChange } from 'switchboard/change';
import type { Order } from './orders.ts';

/** Tells everyone who watches of an order that is gone, whoever deleted it: a listener, a script, or the console of AWS. */
export default defineChange<TableChange<Order>>(({ kind, before }) =>
  kind === 'remove'
    ? { to: 'topic:orders', type: 'order-cancelled', content: { orderId: before.orderId } }
    : null,
);
