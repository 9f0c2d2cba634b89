import {
  addCapacity,
  type Capacity,
  failedWriteCapacity,
  type Item,
  totalUnits,
  writeCapacity,
} from './capacity.ts';
import type { DynamoEngine, EngineAnswer, EngineOperation } from './engine.ts';
import { readCapacities } from './reads.ts';
import type { Table } from './tables.ts';
import { type Write, writesOf } from './writes.ts';
import { asText, isRecord, type JsonRecord } from '../json.ts';

export interface MeteredAnswer extends EngineAnswer {
  readonly kind: 'read' | 'write';
  readonly capacities: readonly Capacity[];
}

/** Calls the engine, and computes the units that DynamoDB would charge, with indexes. */
export async function callMetered(
  engine: DynamoEngine,
  tables: ReadonlyMap<string, Table>,
  operation: EngineOperation,
  input: JsonRecord,
): Promise<MeteredAnswer> {
  const writes = await Promise.all(
    writesOf(operation, input, tables).map(async (write) => ({
      ...write,
      before: await readItem(engine, write.table, write.key),
    })),
  );
  // If a projection or filter hides what was read, only the engine knows the units.
  const answer = await engine.call(operation, { ...input, ReturnConsumedCapacity: 'TOTAL' });
  if (writes.length === 0) {
    return { ...answer, kind: 'read', capacities: readCapacities(tables, operation, input, answer) };
  }
  const capacities: Capacity[] = [];
  for (const write of writes) {
    const { table, key, before } = write;
    if (answer.status === 200) {
      const after = write.after === 'updated' ? await readItem(engine, table, key) : write.after;
      capacities.push(writeCapacity(table, before, after));
    } else if (isConditionFailure(answer)) {
      capacities.push(failedWriteCapacity(table, before));
    }
  }
  return {
    ...(await withExistingItem(engine, input, answer, writes)),
    kind: 'write',
    capacities: perTable(capacities),
  };
}

export function units(capacities: readonly Capacity[]): number {
  return capacities.reduce((sum, capacity) => sum + totalUnits(capacity), 0);
}

async function readItem(engine: DynamoEngine, table: Table, key: JsonRecord): Promise<Item> {
  const { body } = await engine.call('GetItem', { TableName: table.name, Key: key, ConsistentRead: true });
  return isRecord(body.Item) ? body.Item : undefined;
}

function perTable(capacities: readonly Capacity[]): readonly Capacity[] {
  const sums = new Map<string, Capacity>();
  for (const capacity of capacities) {
    const known = sums.get(capacity.table);
    sums.set(capacity.table, known === undefined ? capacity : addCapacity(known, capacity));
  }
  return [...sums.values()];
}

function isConditionFailure({ body }: EngineAnswer): boolean {
  return asText(body.__type)?.endsWith('#ConditionalCheckFailedException') ?? false;
}

/** Adds the stored item to a failed condition for `ReturnValuesOnConditionCheckFailure: ALL_OLD`. dynalite ignores it. */
async function withExistingItem(
  engine: DynamoEngine,
  input: JsonRecord,
  answer: EngineAnswer,
  writes: readonly Write[],
): Promise<EngineAnswer> {
  const [write] = writes;
  if (
    input.ReturnValuesOnConditionCheckFailure !== 'ALL_OLD' ||
    !isConditionFailure(answer) ||
    write === undefined
  ) {
    return answer;
  }
  // Read again, since the winning write may have come after the first read.
  const Item = await readItem(engine, write.table, write.key);
  return { ...answer, body: { ...answer.body, ...(Item === undefined ? {} : { Item }) } };
}
