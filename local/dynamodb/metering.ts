import { addCapacity, type Capacity, failedWriteCapacity, totalUnits, writeCapacity } from './capacity.ts';
import { type Change, type Database, performWrite, readItem } from './changes.ts';
import type { DynamoEngine, EngineAnswer, EngineOperation } from './engine.ts';
import { readCapacities } from './reads.ts';
import { writesOf } from './writes.ts';
import { asText, type JsonRecord } from '../json.ts';

export interface MeteredAnswer extends EngineAnswer {
  readonly kind: 'read' | 'write';
  readonly capacities: readonly Capacity[];
}

/** Calls the engine, and computes the units that DynamoDB would charge, with indexes. */
export async function callMetered(
  database: Database,
  operation: EngineOperation,
  input: JsonRecord,
): Promise<MeteredAnswer> {
  const { engine, tables } = database;
  if (writesOf(operation, input, tables).length === 0) {
    // If a projection or filter hides what was read, only the engine knows the units.
    const answer = await engine.call(operation, { ...input, ReturnConsumedCapacity: 'TOTAL' });
    return { ...answer, kind: 'read', capacities: readCapacities(tables, operation, input, answer) };
  }
  const { answer, changes } = await performWrite(database, operation, input, 'caller');
  return {
    ...(await withExistingItem(engine, input, answer, changes)),
    kind: 'write',
    capacities: perTable(writeCapacities(answer, changes)),
  };
}

export function units(capacities: readonly Capacity[]): number {
  return capacities.reduce((sum, capacity) => sum + totalUnits(capacity), 0);
}

function writeCapacities(answer: EngineAnswer, changes: readonly Change[]): readonly Capacity[] {
  if (answer.status === 200)
    return changes.map(({ table, before, after }) => writeCapacity(table, before, after));
  return isConditionFailure(answer)
    ? changes.map(({ table, before }) => failedWriteCapacity(table, before))
    : [];
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
  changes: readonly Change[],
): Promise<EngineAnswer> {
  const [change] = changes;
  if (
    input.ReturnValuesOnConditionCheckFailure !== 'ALL_OLD' ||
    !isConditionFailure(answer) ||
    change === undefined
  ) {
    return answer;
  }
  // Read again, since the winning write may have come after the first read.
  const Item = await readItem(engine, change.table, change.key);
  return { ...answer, body: { ...answer.body, ...(Item === undefined ? {} : { Item }) } };
}
