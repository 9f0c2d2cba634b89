import { itemBytes, readUnits, writeUnits } from './size.ts';
import type { Index, Table } from './tables.ts';
import { asList, asRecord, type JsonRecord } from '../json.ts';

/** The units of one table and of its indexes that a call touched. */
export interface Capacity {
  readonly table: string;
  readonly tableUnits: number;
  readonly indexUnits: ReadonlyMap<string, number>;
}

export function totalUnits({ tableUnits, indexUnits }: Capacity): number {
  return [...indexUnits.values()].reduce((sum, units) => sum + units, tableUnits);
}

export type Item = JsonRecord | undefined;

/**
 * The cost of a write, from the item before and after it. The table counts the larger of the two. The indexes follow
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.
 * One approximation: the item is read before and after the write. Two writes to one item at the same moment may be
 * charged by the item of the other.
 */
export function writeCapacity(table: Table, before: Item, after: Item): Capacity {
  const tableBytes = Math.max(before ? itemBytes(before) : 0, after ? itemBytes(after) : 0);
  const touched = table.indexes
    .map((index) => [index.name, indexWriteUnits(table, index, before, after)] as const)
    .filter(([, units]) => units > 0);
  return { table: table.name, tableUnits: writeUnits(tableBytes), indexUnits: new Map(touched) };
}

/** A write whose condition failed costs as much as the stored item. */
export function failedWriteCapacity(table: Table, existing: Item): Capacity {
  return {
    table: table.name,
    tableUnits: writeUnits(existing ? itemBytes(existing) : 0),
    indexUnits: new Map(),
  };
}

/** A Query or Scan sums the sizes of its items first, and rounds once. */
export function pageCapacity(
  table: Table,
  index: string | undefined,
  bytes: number,
  consistent: boolean,
): Capacity {
  const units = readUnits(bytes, consistent);
  return index === undefined
    ? { table: table.name, tableUnits: units, indexUnits: new Map() }
    : { table: table.name, tableUnits: 0, indexUnits: new Map([[index, units]]) };
}

/** GetItem and BatchGetItem round each item. A missing item costs the smallest read. */
export function itemsCapacity(table: Table, items: unknown, asked: number, consistent: boolean): Capacity {
  const sizes = asList(items).map((item) => itemBytes(asRecord(item)));
  const missing = Math.max(0, asked - sizes.length);
  const units = sizes.reduce(
    (sum, bytes) => sum + readUnits(bytes, consistent),
    missing * readUnits(0, consistent),
  );
  return { table: table.name, tableUnits: units, indexUnits: new Map() };
}

/** The form in an answer: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html */
export function consumedCapacity(capacity: Capacity, detail: unknown): JsonRecord {
  const total = { TableName: capacity.table, CapacityUnits: totalUnits(capacity) };
  if (detail !== 'INDEXES') return total;
  const indexes = [...capacity.indexUnits].map(([name, CapacityUnits]) => [name, { CapacityUnits }] as const);
  return {
    ...total,
    Table: { CapacityUnits: capacity.tableUnits },
    ...(indexes.length > 0 ? { GlobalSecondaryIndexes: Object.fromEntries(indexes) } : {}),
  };
}

export function addCapacity(a: Capacity, b: Capacity): Capacity {
  const indexUnits = new Map(a.indexUnits);
  for (const [name, units] of b.indexUnits) indexUnits.set(name, (indexUnits.get(name) ?? 0) + units);
  return { table: a.table, tableUnits: a.tableUnits + b.tableUnits, indexUnits };
}

function indexWriteUnits(table: Table, index: Index, before: Item, after: Item): number {
  const old = projection(table, index, before);
  const now = projection(table, index, after);
  if (old === undefined && now === undefined) return 0;
  if (old === undefined || now === undefined) return writeUnits(itemBytes(old ?? now ?? {}));
  // The key of the index has changed: DynamoDB deletes the old entry and puts a new one.
  if (!sameKeys(index, old, now)) return writeUnits(itemBytes(old)) + writeUnits(itemBytes(now));
  if (canonical(old) === canonical(now)) return 0;
  return writeUnits(Math.max(itemBytes(old), itemBytes(now)));
}

/** The part of an item that an index holds. An item without all keys of the index is not in it. */
function projection(table: Table, index: Index, item: Item): Item {
  if (item === undefined || !index.keys.every((key) => item[key] !== undefined)) return undefined;
  if (index.projected === undefined) return item;
  const kept = new Set([...table.keys, ...index.keys, ...index.projected]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => kept.has(name)));
}

function sameKeys(index: Index, old: JsonRecord, now: JsonRecord): boolean {
  return index.keys.every((key) => JSON.stringify(old[key]) === JSON.stringify(now[key]));
}

function canonical(item: JsonRecord): string {
  return JSON.stringify(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
}
