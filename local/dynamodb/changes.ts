import type { Item } from './capacity.ts';
import type { DynamoEngine, EngineAnswer, EngineOperation } from './engine.ts';
import type { ItemLocks } from './locks.ts';
import type { Table } from './tables.ts';
import { type Write, writesOf } from './writes.ts';
import { asRecord, asText, isRecord, type JsonRecord } from '../json.ts';

/** The engine with the tables of the template. */
export interface Database {
  readonly engine: DynamoEngine;
  readonly tables: ReadonlyMap<string, Table>;
  readonly locks: ItemLocks;
  /** Gets every item that a call has written, in the order of the writes to it. */
  readonly onChange: (change: Change, identity: Identity) => void;
}

/** One item before and after a call that wrote it. */
export interface Change {
  readonly table: Table;
  readonly key: JsonRecord;
  readonly before: Item;
  readonly after: Item;
}

/** Who writes: a caller of the API, or the deletion of expired items. */
export type Identity = 'caller' | 'ttl';

/**
 * Performs a write and reads its items before and after it. Writes to one item run one after the other, so that the
 * units of each, and its record in a stream, come from exactly its own images.
 */
export function performWrite(
  database: Database,
  operation: EngineOperation,
  input: JsonRecord,
  identity: Identity,
): Promise<{ readonly answer: EngineAnswer; readonly changes: readonly Change[] }> {
  const { engine, tables, locks, onChange } = database;
  const writes = writesOf(operation, input, tables);
  return locks.hold([...new Set(writes.map(lockId))], perform);

  async function perform(): Promise<{ answer: EngineAnswer; changes: readonly Change[] }> {
    const befores = await Promise.all(writes.map(({ table, key }) => readItem(engine, table, key)));
    const answer = await engine.call(operation, { ...input, ReturnConsumedCapacity: 'TOTAL' });
    const changes: Change[] = [];
    for (const [index, write] of writes.entries()) {
      const before = befores[index];
      const after = answer.status === 200 ? await itemAfter(engine, write) : before;
      const change = { table: write.table, key: write.key, before, after };
      changes.push(change);
      if (answer.status === 200) onChange(change, identity);
    }
    return { answer, changes };
  }
}

export async function readItem(engine: DynamoEngine, table: Table, key: JsonRecord): Promise<Item> {
  const { body } = await engine.call('GetItem', { TableName: table.name, Key: key, ConsistentRead: true });
  return isRecord(body.Item) ? body.Item : undefined;
}

/** A stream shows the stored form of an item, in which `1.0` is the number `1`. */
export function itemAfter(engine: DynamoEngine, { table, key, after }: Write): Item | Promise<Item> {
  const isKnown = after !== 'updated' && (after === undefined || table.stream === undefined);
  return isKnown ? after : readItem(engine, table, key);
}

/** Two spellings of a number are one key. Two keys that share a lock by rounding do no harm. */
export function lockId({ table, key }: Write): string {
  const values = table.keys.map((name) => {
    const { S, N, B } = asRecord(key[name]);
    return N === undefined ? [S, B] : Number(asText(N));
  });
  return JSON.stringify([table.name, values]);
}
