import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type ConsumedCapacity,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';
import { sessionsTable } from './sessions-table.ts';

const platform = await startPlatform(writeAssembly({ Resources: { Sessions: sessionsTable } }));
const TableName = platform.deployment.physicalId('Sessions');
const client = new DynamoDBClient(platform.client);
const key = (name: string) => ({ pk: { S: name }, sk: { S: 'a' } });
const ReturnConsumedCapacity = 'INDEXES';

describe('capacity units, https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html', () => {
  const audience = { audience: { S: 'everyone' } };

  it('charge a write per started kilobyte of UTF-8', async () => {
    const written = async (text: string): Promise<number | undefined> => {
      const Item = { ...key('size'), text: { S: text } };
      const { ConsumedCapacity } = await client.send(
        new PutItemCommand({ TableName, Item, ReturnConsumedCapacity }),
      );
      await client.send(new DeleteItemCommand({ TableName, Key: key('size') }));
      return ConsumedCapacity?.CapacityUnits;
    };
    // Names and keys take 2 + 4 + 2 + 1 + 4 = 13 bytes.
    expect(await written('a'.repeat(1024 - 13))).toBe(1);
    expect(await written('a'.repeat(1024 - 12))).toBe(2);
    expect(await written('ü'.repeat(600))).toBe(2);
  });

  it('charge an index only if its entry changes', async () => {
    const units = (consumed?: ConsumedCapacity) => [
      consumed?.Table?.CapacityUnits,
      consumed?.GlobalSecondaryIndexes?.byAudience?.CapacityUnits,
    ];
    const put = async (attributes: Record<string, { S: string }>) =>
      units(
        (
          await client.send(
            new PutItemCommand({
              TableName,
              Item: { ...key('index'), ...attributes },
              ReturnConsumedCapacity,
            }),
          )
        ).ConsumedCapacity,
      );
    const update = async (name: string, value: string) =>
      units(
        (
          await client.send(
            new UpdateItemCommand({
              TableName,
              Key: key('index'),
              UpdateExpression: 'SET #n = :v',
              ExpressionAttributeNames: { '#n': name },
              ExpressionAttributeValues: { ':v': { S: value } },
              ReturnConsumedCapacity,
            }),
          )
        ).ConsumedCapacity,
      );
    expect(await put({})).toEqual([1, undefined]);
    expect(await put(audience)).toEqual([1, 1]);
    expect(await update('other', 'not projected')).toEqual([1, undefined]);
    expect(await update('seen', 'projected')).toEqual([1, 1]);
    expect(await update('audience', 'another key: delete and put')).toEqual([1, 2]);
    const deleted = await client.send(
      new DeleteItemCommand({ TableName, Key: key('index'), ReturnConsumedCapacity }),
    );
    expect(units(deleted.ConsumedCapacity)).toEqual([1, 1]);
  });

  it('charge a write whose condition fails', async () => {
    const before = platform.meter.snapshot();
    const ConditionExpression = 'attribute_exists(pk)';
    const refused = client.send(new PutItemCommand({ TableName, Item: key('absent'), ConditionExpression }));
    await expect(refused).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    const after = platform.meter.snapshot();
    expect((after['dynamodb.writeUnits'] ?? 0) - (before['dynamodb.writeUnits'] ?? 0)).toBe(1);
  });

  it('round a query as a whole and a batch per item, and halve reads that may be stale', async () => {
    const page = Array.from({ length: 6 }, (_, index) => ({
      pk: { S: 'page' },
      sk: { S: String(index) },
      x: { S: 'x'.repeat(1000) },
    }));
    await client.send(
      new BatchWriteItemCommand({
        RequestItems: { [TableName]: page.map((Item) => ({ PutRequest: { Item } })) },
      }),
    );
    const query = async (more: object) => {
      const answer = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: 'page' } },
          ReturnConsumedCapacity,
          ...more,
        }),
      );
      return answer.ConsumedCapacity?.CapacityUnits;
    };
    // Six items of about 1 KB are two blocks of 4 KB.
    expect(await query({ ConsistentRead: true })).toBe(2);
    expect(await query({})).toBe(1);
    expect(await query({ ProjectionExpression: 'sk' })).toBe(1);
    const Keys = page.map(({ pk, sk }) => ({ pk, sk }));
    const RequestItems = { [TableName]: { Keys: [...Keys, key('missing')] } };
    const batch = await client.send(new BatchGetItemCommand({ RequestItems, ReturnConsumedCapacity }));
    expect(batch.ConsumedCapacity?.[0]?.CapacityUnits).toBe(3.5);
  });

  it('are counted in the meter, and so are calls', async () => {
    const before = platform.meter.snapshot();
    await client.send(new PutItemCommand({ TableName, Item: { ...key('metered'), ...audience } }));
    const answer = await client.send(new GetItemCommand({ TableName, Key: key('metered') }));
    const after = platform.meter.snapshot();
    const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
    expect(answer.ConsumedCapacity).toBeUndefined();
    expect(['dynamodb.PutItem', 'dynamodb.writeUnits', 'dynamodb.readUnits'].map(grown)).toEqual([1, 2, 0.5]);
  });
});
