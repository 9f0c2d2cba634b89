import { defineChange, type TableChange } from 'switchboard/change';

/** A row of the test's table. `fault` says how the mapping fails. */
export interface Order {
  readonly pk: string;
  readonly sk: string;
  readonly status: string;
  readonly tenant?: string;
  readonly fault?: 'throws' | 'throws once' | 'bad message' | 'no message';
}

const thrown = new Set<string>();

/** The changes of an order go to a topic of its own. */
export default defineChange<TableChange<Order>>(({ id, kind, keys, before, after }) => {
  const { fault, tenant = 'default' } = after ?? before;
  if (fault === 'no message') return null;
  if (fault === 'throws') throw new Error('The mapping has a bug.');
  if (fault === 'throws once' && !thrown.has(id)) {
    thrown.add(id);
    throw new Error('The mapping could not read.');
  }
  return {
    to: fault === 'bad message' ? 'nowhere' : `topic:orders.${String(keys['pk'])}`,
    type: `order-${kind}`,
    content: { before: before?.status ?? null, after: after?.status ?? null },
    tenant,
  };
});
