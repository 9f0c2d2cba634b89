import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { readJson } from '../json.ts';
import type { BusEvent, TableChange } from './define-change.ts';

/** One change of a batch. */
export interface Delivery {
  /** Reports to Lambda that this change must come again. */
  readonly itemIdentifier: string;
  /** Deliveries with the same text keep their order. */
  readonly sequence: string;
  /** Throws if it is no change. */
  readonly read: () => TableChange | BusEvent;
}

/** A delivery of a table's stream. */
export function streamDelivery(record: {
  readonly dynamodb: { readonly SequenceNumber: string; readonly Keys: unknown };
}): Delivery {
  const { SequenceNumber, Keys } = record.dynamodb;
  return {
    itemIdentifier: SequenceNumber,
    sequence: JSON.stringify(Keys),
    read: () => readTableChange(record),
  };
}

/** A delivery of the queue behind a rule. EventBridge gives events no order, so none is kept. */
export function queueDelivery({
  messageId,
  body,
}: {
  readonly messageId: string;
  readonly body: string;
}): Delivery {
  return { itemIdentifier: messageId, sequence: messageId, read: () => readBusEvent(body) };
}

type Row = Readonly<Record<string, unknown>>;

const row = z.pipe(z.record(z.string(), z.unknown()), z.transform(plainRow));

const record = z.discriminatedUnion('eventName', [
  changeOf('INSERT', { NewImage: row }),
  changeOf('MODIFY', { OldImage: row, NewImage: row }),
  changeOf('REMOVE', { OldImage: row }),
]);

function changeOf<Name extends string, Images extends z.core.$ZodShape>(name: Name, images: Images) {
  return z.object({
    eventName: z.literal(name),
    eventID: z.string(),
    dynamodb: z.object({ ApproximateCreationDateTime: z.number(), Keys: row, ...images }),
  });
}

function readTableChange(given: unknown): TableChange {
  const read = z.safeParse(record, given);
  if (!read.success)
    throw new Error('The record has a form that is not allowed. The stream must be of NEW_AND_OLD_IMAGES.');
  const { eventID: id, eventName, dynamodb } = read.data;
  const { Keys: keys, ApproximateCreationDateTime: seconds } = dynamodb;
  const about = { id, time: seconds * 1000, keys };
  switch (eventName) {
    case 'INSERT':
      return { kind: 'insert', ...about, after: dynamodb.NewImage };
    case 'MODIFY':
      return { kind: 'modify', ...about, before: dynamodb.OldImage, after: dynamodb.NewImage };
    case 'REMOVE':
      return { kind: 'remove', ...about, before: dynamodb.OldImage };
  }
}

/** A row as plain JSON. A mapping puts parts of it into messages, and JSON of a `Set` is `{}`. */
function plainRow(item: Row): Row {
  const marshalled = item as Parameters<typeof unmarshall>[0];
  return z.parse(z.record(z.string(), z.unknown()), plain(unmarshall(marshalled, { wrapNumbers: numberOf })));
}

function plain(value: unknown): unknown {
  if (value instanceof Set) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}

/** `unmarshall` alone would throw for a number like this, and the change would be lost for a digit. */
function numberOf(text: string): number | string {
  const number = Number(text);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number;
}

const busEvent = z.object({
  id: z.string(),
  time: z.string(),
  source: z.string(),
  'detail-type': z.string(),
  detail: z.unknown(),
});

function readBusEvent(text: string): BusEvent {
  const { id, time, source, 'detail-type': detailType, detail } = readJson(busEvent, text, 'The event');
  return { id, time: Date.parse(time), source, detailType, detail };
}
