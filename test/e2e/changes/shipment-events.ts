import { type BusEvent, defineChange } from 'switchboard/change';

interface Shipped {
  readonly orderId: string;
  readonly to: string;
}

/** Two messages of one event: for the customer, and for all who watch. */
export default defineChange<BusEvent<Shipped>>(({ time, source, detailType, detail }) => [
  { to: detail.to, type: 'shipped', content: { orderId: detail.orderId, at: time } },
  { to: 'topic:shipments', type: 'shipped', content: { source, detailType } },
]);
