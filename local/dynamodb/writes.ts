import type { Item } from './capacity.ts';
import type { EngineOperation } from './engine.ts';
import type { Table } from './tables.ts';
import { asList, asRecord, asText, type JsonRecord } from '../json.ts';

/** One item that a call writes. */
export interface Write {
  readonly table: Table;
  readonly key: JsonRecord;
  /** The item after the call. The result of an update is read after the call. */
  readonly after: Item | 'updated';
}

/** The items that a call writes; none for a read. */
export function writesOf(
  operation: EngineOperation,
  input: JsonRecord,
  tables: ReadonlyMap<string, Table>,
): readonly Write[] {
  const table = tables.get(asText(input.TableName) ?? '');
  switch (operation) {
    case 'PutItem':
      return table === undefined ? [] : [put(table, asRecord(input.Item))];
    case 'DeleteItem':
      return table === undefined ? [] : [{ table, key: asRecord(input.Key), after: undefined }];
    case 'UpdateItem':
      return table === undefined ? [] : [{ table, key: asRecord(input.Key), after: 'updated' }];
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
  return { table, key, after: item };
}
