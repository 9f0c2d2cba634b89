import { createListeners } from './order-listeners.ts';
import { ordersInTable } from './orders.ts';

export default createListeners(ordersInTable());
