import { type Capacity, itemsCapacity, pageCapacity } from './capacity.ts';
import type { EngineAnswer, EngineOperation } from './engine.ts';
import { itemBytes } from './size.ts';
import type { Table } from './tables.ts';
import { asList, asRecord, asText, type JsonRecord } from '../json.ts';

/** The cost of a read in each of its tables, from its answer. */
export function readCapacities(
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

/** If an answer shows less than was read, the count of dynalite is used. It takes each character for one byte. */
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
