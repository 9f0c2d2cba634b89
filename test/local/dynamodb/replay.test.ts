import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Database, performWrite } from '../../../local/dynamodb/changes.ts';
import { openEngine } from '../../../local/dynamodb/engine.ts';
import { ItemLocks } from '../../../local/dynamodb/locks.ts';
import { type StreamRecord, TableStream } from '../../../local/dynamodb/stream.ts';
import { createTables } from '../../../local/dynamodb/tables.ts';
import { asList, asRecord, type JsonRecord } from '../../../local/json.ts';
import { loadDeployment } from '../../../local/template/template.ts';
import { writeAssembly } from '../harness/assembly.ts';
import { itemsTable } from '../harness/table-template.ts';

const deployment = loadDeployment(writeAssembly({ Resources: itemsTable() }), 'http://127.0.0.1');
const TableName = deployment.physicalId('Items');

/** A table in memory, with the records of its stream so far. */
async function openTable() {
  const engine = openEngine(deployment);
  const tables = await createTables(engine, deployment);
  const records: StreamRecord[] = [];
  const settings = tables.get(TableName)?.stream;
  if (settings === undefined) throw new Error('The table has no stream.');
  const stream = new TableStream(settings, () => 1_800_000_000_000);
  stream.read((record) => records.push(record));
  const database: Database = {
    engine,
    tables,
    locks: new ItemLocks(),
    onChange: (change, identity) => {
      stream.append(change, identity);
    },
  };
  return { database, records };
}

// Few keys and values, so that writes meet. `1` and `1.0` are one key.
const key = fc.record({
  pk: fc.constantFrom('a', 'b').map((S) => ({ S })),
  sk: fc.constantFrom('1', '1.0', '2').map((N) => ({ N })),
});
const value = fc.oneof(
  fc.integer({ min: 0, max: 2 }).map((n) => ({ N: String(n) })),
  fc.subarray(['x', 'y', 'z'], { minLength: 1 }).map((SS) => ({ SS })),
);
const put = fc.record({ item: key, value }).map(({ item, value }) => ({ Item: { ...item, value } }));
const write = fc.oneof(
  put.map((input) => ['PutItem', { TableName, ...input }] as const),
  key.map((Key) => ['DeleteItem', { TableName, Key }] as const),
  key.map((Key) => {
    const names = {
      ExpressionAttributeNames: { '#c': 'count' },
      ExpressionAttributeValues: { ':one': { N: '1' } },
    };
    return ['UpdateItem', { TableName, Key, UpdateExpression: 'ADD #c :one', ...names }] as const;
  }),
  key.map((Key) => {
    const condition = { ConditionExpression: 'attribute_exists(pk)' };
    return ['DeleteItem', { TableName, Key, ...condition }] as const;
  }),
  fc.tuple(put, put).map(([first, second]) => {
    const requests = [{ PutRequest: first }, { DeleteRequest: { Key: keyOf(second.Item) } }];
    return ['BatchWriteItem', { RequestItems: { [TableName]: requests } }] as const;
  }),
);

function keyOf({ pk, sk }: JsonRecord): JsonRecord {
  return { pk, sk };
}

/** Applies the records to an empty table. Fails if an old image is not what the records before it have left. */
function replay(records: readonly StreamRecord[]): readonly JsonRecord[] {
  const items = new Map<string, JsonRecord>();
  for (const { eventName, dynamodb } of records) {
    const id = JSON.stringify(dynamodb.Keys);
    expect(dynamodb.OldImage).toEqual(items.get(id));
    expect(eventName).toBe(
      dynamodb.OldImage === undefined ? 'INSERT' : dynamodb.NewImage === undefined ? 'REMOVE' : 'MODIFY',
    );
    if (dynamodb.NewImage === undefined) items.delete(id);
    else items.set(id, dynamodb.NewImage);
  }
  return [...items.values()];
}

it('the records of a stream rebuild its table, however many writes run at the same time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 25 }), async (writes) => {
      const { database, records } = await openTable();
      await Promise.all(
        writes.map(([operation, input]) => performWrite(database, operation, input, 'caller')),
      );
      const { body } = await database.engine.call('Scan', { TableName, ConsistentRead: true });
      await database.engine.close();
      const byKey = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
      const sorted = (items: readonly JsonRecord[]) =>
        items.map((item) => Object.fromEntries(Object.entries(item).sort(byKey))).sort(byKey);
      expect(sorted(replay(records))).toEqual(sorted(asList(body.Items).map(asRecord)));
    }),
    { numRuns: 200 },
  );
}, 60_000);

it('writes to one item are recorded in their order', async () => {
  const { database, records } = await openTable();
  const values = Array.from({ length: 50 }, (_, n) => String(n));
  const write = (N: string) =>
    performWrite(
      database,
      'PutItem',
      { TableName, Item: { pk: { S: 'a' }, sk: { N: '1' }, value: { N } } },
      'caller',
    );
  await Promise.all(values.map(write));
  const changes = records.map(({ dynamodb }) => [dynamodb.OldImage?.value, dynamodb.NewImage?.value]);
  const numbers = values.map((N) => ({ N }));
  expect(changes).toEqual(numbers.map((number, index) => [numbers[index - 1], number]));
  await database.engine.close();
});
