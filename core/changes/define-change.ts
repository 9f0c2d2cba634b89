import type { OutgoingMessage } from '../../publisher/publisher.ts';

type Item = Readonly<Record<string, unknown>>;

interface RowChange {
  /** The same for every delivery of this change. */
  readonly id: string;
  /** When it was written, in epoch milliseconds. DynamoDB gives whole seconds. */
  readonly time: number;
  /** The key of the row, as in `before` and `after`. */
  readonly keys: Item;
}

/**
 * A row of a DynamoDB table that was written or deleted. Rows are plain JSON: a set is a list, and binary data is base64.
 * A whole number that JavaScript cannot hold exactly is text.
 */
export type TableChange<Row = Item> =
  | (RowChange & { readonly kind: 'insert'; readonly before?: undefined; readonly after: Row })
  | (RowChange & { readonly kind: 'modify'; readonly before: Row; readonly after: Row })
  | (RowChange & { readonly kind: 'remove'; readonly before: Row; readonly after?: undefined });

/** An event of EventBridge. */
export interface BusEvent<Detail = unknown> {
  /** The same for every delivery of this event. */
  readonly id: string;
  /** Epoch milliseconds. EventBridge gives whole seconds. */
  readonly time: number;
  readonly source: string;
  readonly detailType: string;
  readonly detail: Detail;
}

/** What to publish: one message, several in their order, or none. */
export type Messages = OutgoingMessage | readonly OutgoingMessage[] | null | undefined;

/**
 * Says what to publish when something has changed. A change can be delivered twice, and must then give the same messages
 * again. So a mapping uses the `time` of the change, and neither the clock nor chance.
 */
export type ChangeMapping<Change> = (change: Change) => Messages | Promise<Messages>;

/**
 * Gives a mapping its types: `defineChange<TableChange<Order>>(…)` or `defineChange<BusEvent<OrderShipped>>(…)`. A
 * mapping that throws is called again, and then its change is a dead letter. A `Refusal` makes it one at once.
 */
export function defineChange<Change extends TableChange<object> | BusEvent = TableChange>(
  mapping: ChangeMapping<Change>,
): ChangeMapping<Change> {
  return mapping;
}
