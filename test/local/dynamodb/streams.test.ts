import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import type { StreamRecord } from '../../../local/dynamodb/stream.ts';
import { writeAssembly } from '../harness/assembly.ts';
import { type Platform, startPlatform } from '../harness/platform.ts';
import { itemsTable, streamReader } from '../harness/table-template.ts';

const patiently = { timeout: 15_000 };

async function start(table: object = {}) {
  const platform = await startPlatform(
    writeAssembly({ Resources: { ...itemsTable(table), ...streamReader() } }),
  );
  const client = new DynamoDBClient(platform.client);
  const TableName = platform.deployment.physicalId('Items');
  const put = (
    sk: string,
    attributes: Record<string, { readonly S: string } | { readonly SS: string[] }> = {},
  ) => client.send(new PutItemCommand({ TableName, Item: { pk: { S: 'a' }, sk: { N: sk }, ...attributes } }));
  return { platform, client, TableName, put };
}

/** The records that the function has got, once one has this sort key. */
async function recordsUntil(platform: Platform, sk: string): Promise<readonly StreamRecord[]> {
  const records = (): readonly StreamRecord[] =>
    platform.output
      .flatMap((text) => text.trim().split('\n'))
      .flatMap((line) => (JSON.parse(line) as { Records: StreamRecord[] }).Records);
  const isThere = () =>
    records().some(({ dynamodb }) => JSON.stringify(dynamodb.Keys.sk) === `{"N":"${sk}"}`);
  await expect.poll(isThere, patiently).toBe(true);
  return records();
}

describe('a stream', () => {
  it('has a record for each insert, change and removal, in the form of Lambda', async () => {
    const { platform, client, TableName, put } = await start();
    const Key = { pk: { S: 'a' }, sk: { N: '101' } };
    const before = Math.floor(Date.now() / 1000);
    await put('101', { Message: { S: 'New item!' } });
    await client.send(
      new UpdateItemCommand({
        TableName,
        Key,
        UpdateExpression: 'SET Message = :m',
        ExpressionAttributeValues: { ':m': { S: 'This item has changed' } },
      }),
    );
    await client.send(new DeleteItemCommand({ TableName, Key }));
    await put('0');
    const records = (await recordsUntil(platform, '0')).slice(0, 3);
    const inserted = { ...Key, Message: { S: 'New item!' } };
    const changed = { ...Key, Message: { S: 'This item has changed' } };
    const arn = platform.deployment.attribute('Items', 'StreamArn');
    // Each `pk` has three bytes more than the sizes in the example of the Lambda guide (with-ddb): 26, 59 and 38.
    expect(records).toEqual(
      [
        { eventName: 'INSERT', images: { NewImage: inserted }, SizeBytes: 26 + 6 },
        { eventName: 'MODIFY', images: { NewImage: changed, OldImage: inserted }, SizeBytes: 59 + 9 },
        { eventName: 'REMOVE', images: { OldImage: changed }, SizeBytes: 38 + 6 },
      ].map(({ eventName, images, SizeBytes }) => ({
        eventID: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        eventName,
        eventVersion: '1.1',
        eventSource: 'aws:dynamodb',
        awsRegion: 'us-east-1',
        dynamodb: {
          ApproximateCreationDateTime: expect.any(Number) as number,
          Keys: Key,
          ...images,
          SequenceNumber: expect.stringMatching(/^\d{21,40}$/) as string,
          SizeBytes,
          StreamViewType: 'NEW_AND_OLD_IMAGES',
        },
        eventSourceARN: arn,
      })),
    );
    const times = records.map(({ dynamodb }) => dynamodb.ApproximateCreationDateTime);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(before);
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now() / 1000);
    const numbers = records.map(({ dynamodb }) => dynamodb.SequenceNumber);
    expect(numbers).toEqual([...new Set(numbers)].sort());
    expect(new Set(records.map(({ eventID }) => eventID)).size).toBe(3);
    await platform.close();
  });

  it('has no record for a write that changes nothing, or that its condition refuses', async () => {
    const { platform, client, TableName, put } = await start();
    const Key = { pk: { S: 'a' }, sk: { N: '1' } };
    await put('1', { letters: { SS: ['x', 'y'] } });
    // The number and the order of the set are spelled differently, but the item is the same.
    await put('1.0', { letters: { SS: ['y', 'x'] } });
    const update = {
      TableName,
      Key,
      UpdateExpression: 'SET letters = :l',
      ExpressionAttributeValues: { ':l': { SS: ['x', 'y'] } },
    };
    await client.send(new UpdateItemCommand(update));
    const refused = new DeleteItemCommand({
      TableName,
      Key,
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await expect(client.send(refused)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    await client.send(new DeleteItemCommand({ TableName, Key: { ...Key, sk: { N: '404' } } }));
    await put('0');
    const records = await recordsUntil(platform, '0');
    expect(records.map(({ eventName, dynamodb }) => [eventName, dynamodb.Keys.sk])).toEqual([
      ['INSERT', { N: '1' }],
      ['INSERT', { N: '0' }],
    ]);
    await platform.close();
  });

  it('has a record for each item of a batch', async () => {
    const { platform, client, TableName, put } = await start();
    const item = (sk: string) => ({ pk: { S: 'a' }, sk: { N: sk } });
    await put('1');
    const requests = [
      { DeleteRequest: { Key: item('1') } },
      { PutRequest: { Item: item('2') } },
      { PutRequest: { Item: item('3') } },
    ];
    await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: requests } }));
    await put('0');
    const records = await recordsUntil(platform, '0');
    expect(records.map(({ eventName, dynamodb }) => [eventName, dynamodb.Keys])).toEqual([
      ['INSERT', item('1')],
      ['REMOVE', item('1')],
      ['INSERT', item('2')],
      ['INSERT', item('3')],
      ['INSERT', item('0')],
    ]);
    await platform.close();
  });

  it.each([
    ['KEYS_ONLY', []],
    ['NEW_IMAGE', ['NewImage']],
    ['OLD_IMAGE', ['OldImage']],
    ['NEW_AND_OLD_IMAGES', ['NewImage', 'OldImage']],
  ])('with the view %s has the images %j', async (StreamViewType, images) => {
    const { platform, put } = await start({ StreamSpecification: { StreamViewType } });
    await put('1', { a: { S: 'old' } });
    await put('1', { a: { S: 'new' } });
    await put('0');
    const records = await recordsUntil(platform, '0');
    const change = records.find(({ eventName }) => eventName === 'MODIFY');
    expect(Object.keys(change?.dynamodb ?? {}).filter((name) => name.endsWith('Image'))).toEqual(images);
    await platform.close();
  });

  it('is in the description of its table', async () => {
    const { platform, client, TableName } = await start();
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    const arn = platform.deployment.attribute('Items', 'StreamArn');
    expect(Table).toMatchObject({
      TableName,
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      LatestStreamArn: arn,
      LatestStreamLabel: arn.split('/').pop(),
    });
    await platform.close();
  });

  it('costs nothing to read', async () => {
    const { platform, put } = await start();
    await put('0');
    await recordsUntil(platform, '0');
    const counters = Object.keys(platform.meter.snapshot()).filter((name) => name.startsWith('dynamodb.'));
    expect(counters).toEqual(['dynamodb.PutItem', 'dynamodb.writeUnits']);
    await platform.close();
  });
});

it('a global table has a stream too', async () => {
  const { Items } = itemsTable({ Replicas: [{ Region: { Ref: 'AWS::Region' } }] });
  const resources = { Items: { ...Items, Type: 'AWS::DynamoDB::GlobalTable' }, ...streamReader() };
  const platform = await startPlatform(writeAssembly({ Resources: resources }));
  const TableName = platform.deployment.physicalId('Items');
  const Item = { pk: { S: 'a' }, sk: { N: '0' } };
  await new DynamoDBClient(platform.client).send(new PutItemCommand({ TableName, Item }));
  expect(await recordsUntil(platform, '0')).toMatchObject([{ eventName: 'INSERT' }]);
  await platform.close();
});

it('a stream of an unknown view is refused', async () => {
  const resources = { ...itemsTable({ StreamSpecification: { StreamViewType: 'ALL' } }), ...streamReader() };
  await expect(startPlatform(writeAssembly({ Resources: resources }))).rejects.toThrow(
    'Items: the StreamViewType is KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, not ALL.',
  );
});
