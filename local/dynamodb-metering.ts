import {
  addCapacity,
  failedWriteCapacity,
  itemsCapacity,
  pageCapacity,
  totalUnits,
  writeCapacity,
} from './dynamodb-capacity.ts';
import type { Capacity, Item } from './dynamodb-capacity.ts';
import type { DynamoEngine, EngineAnswer, EngineOperation } from './dynamodb-engine.ts';
import { itemBytes } from './dynamodb-size.ts';
import type { Table } from './dynamodb-tables.ts';
import { asList, asRecord, asText, isRecord } from './json.ts';
import type { JsonRecord } from './json.ts';

/** One item that a call writes, and what it was before. */
interface Write {
  readonly table: Table;
  readonly key: JsonRecord;
  readonly before: Item;
  /** What it will be; an update's result is read once it is done. */
  readonly after: Item | 'updated';
}

export interface MeteredAnswer extends EngineAnswer {
  readonly kind: 'read' | 'write';
  readonly capacities: readonly Capacity[];
}

/** Calls the engine and works out the units that DynamoDB would charge, indexes included. */
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
  // Its own count of bytes is needed where a projection or filter hides what was read.
  const answer = await engine.call(operation, { ...input, ReturnConsumedCapacity: 'TOTAL' });
  if (writes.length === 0)
    return { ...answer, kind: 'read', capacities: readCapacities(tables, operation, input, answer) };
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

function writesOf(
  operation: EngineOperation,
  input: JsonRecord,
  tables: ReadonlyMap<string, Table>,
): readonly Write[] {
  const table = tables.get(asText(input.TableName) ?? '');
  switch (operation) {
    case 'PutItem':
      return table === undefined ? [] : [put(table, asRecord(input.Item))];
    case 'DeleteItem':
      return table === undefined
        ? []
        : [{ table, key: asRecord(input.Key), before: undefined, after: undefined }];
    case 'UpdateItem':
      return table === undefined
        ? []
        : [{ table, key: asRecord(input.Key), before: undefined, after: 'updated' }];
    case 'BatchWriteItem':
      return Object.entries(asRecord(input.RequestItems)).flatMap(([name, requests]) => {
        const written = tables.get(name);
        if (written === undefined) return [];
        return asList(requests).map((request) => {
          const { PutRequest, DeleteRequest } = asRecord(request);
          if (PutRequest !== undefined) return put(written, asRecord(asRecord(PutRequest).Item));
          return {
            table: written,
            key: asRecord(asRecord(DeleteRequest).Key),
            before: undefined,
            after: undefined,
          };
        });
      });
    default:
      return [];
  }
}

function put(table: Table, item: JsonRecord): Write {
  const key = Object.fromEntries(table.keys.map((name) => [name, item[name]]));
  return { table, key, before: undefined, after: item };
}

async function readItem(engine: DynamoEngine, table: Table, key: JsonRecord): Promise<Item> {
  const { body } = await engine.call('GetItem', { TableName: table.name, Key: key, ConsistentRead: true });
  return isRecord(body.Item) ? body.Item : undefined;
}

function readCapacities(
  tables: ReadonlyMap<string, Table>,
  operation: EngineOperation,
  input: JsonRecord,
  { status, body }: EngineAnswer,
): readonly Capacity[] {
  const table = tables.get(asText(input.TableName) ?? '');
  const consistent = input.ConsistentRead === true;
  if (status !== 200) return [];
  if (operation === 'BatchGetItem') {
    return Object.entries(asRecord(input.RequestItems)).flatMap(([name, request]) => {
      const { Keys, ConsistentRead } = asRecord(request);
      const left = asList(asRecord(asRecord(body.UnprocessedKeys)[name]).Keys).length;
      const read = tables.get(name);
      if (read === undefined) return [];
      return [
        itemsCapacity(
          read,
          asRecord(body.Responses)[name],
          asList(Keys).length - left,
          ConsistentRead === true,
        ),
      ];
    });
  }
  if (table === undefined) return [];
  if (operation === 'GetItem') {
    if (showsWholeItems(input)) return [itemsCapacity(table, body.Item, 1, consistent)];
    return [{ table: table.name, tableUnits: engineUnits(body), indexUnits: new Map() }];
  }
  if (operation !== 'Query' && operation !== 'Scan') return [];
  const bytes = showsWholeItems(input)
    ? asList(body.Items).reduce((sum: number, item) => sum + itemBytes(asRecord(item)), 0)
    : engineUnits(body) * (consistent ? 4096 : 8192);
  return [pageCapacity(table, asText(input.IndexName), bytes, consistent)];
}

/** Where an answer shows less than was read, dynalite's own count stands; it takes each character for one byte. */
function showsWholeItems(input: JsonRecord): boolean {
  const narrowing = [
    'ProjectionExpression',
    'AttributesToGet',
    'FilterExpression',
    'QueryFilter',
    'ScanFilter',
    'Select',
  ];
  return narrowing.every((name) => input[name] === undefined);
}

function engineUnits(body: JsonRecord): number {
  const { CapacityUnits } = asRecord(body.ConsumedCapacity);
  return typeof CapacityUnits === 'number' ? CapacityUnits : 0;
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

/** `ReturnValuesOnConditionCheckFailure: ALL_OLD`, which dynalite does not know: the failure shows the item. */
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
  // Read again: the write that won may have come after the first read.
  const Item = await readItem(engine, write.table, write.key);
  return { ...answer, body: { ...answer.body, ...(Item === undefined ? {} : { Item }) } };
}
