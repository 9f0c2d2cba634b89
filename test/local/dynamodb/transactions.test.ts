import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import type { StreamRecord } from '../../../local/dynamodb/stream.ts';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';
import { itemsTable, streamReader } from '../harness/table-template.ts';

const tableArn = { 'Fn::GetAtt': ['Items', 'Arn'] };
const platform = await startPlatform(
  writeAssembly({
    Resources: {
      ...itemsTable(),
      ...streamReader(),
      ...lambdaWithRole('Writer', 'exports.handler = async () => null', {
        statements: [allow(['dynamodb:PutItem', 'dynamodb:UpdateItem'], tableArn)],
      }),
    },
  }),
);
const TableName = platform.deployment.physicalId('Items');
const client = new DynamoDBClient(platform.client);

const keyOf = (pk: string) => ({ pk: { S: pk }, sk: { N: '1' } });
const absent = { ConditionExpression: 'attribute_not_exists(pk)' };

function transact(...TransactItems: TransactWriteItem[]) {
  return client.send(new TransactWriteItemsCommand({ TransactItems, ReturnConsumedCapacity: 'TOTAL' }));
}

function put(pk: string, attributes: Record<string, { S: string } | { N: string }> = {}): TransactWriteItem {
  return { Put: { TableName, Item: { ...keyOf(pk), ...attributes }, ...absent } };
}

function add(pk: string, amount: string): TransactWriteItem {
  return {
    Update: {
      TableName,
      Key: keyOf(pk),
      UpdateExpression: 'ADD amount :amount',
      ExpressionAttributeValues: { ':amount': { N: amount } },
    },
  };
}

async function itemOf(pk: string) {
  return (await client.send(new GetItemCommand({ TableName, Key: keyOf(pk), ConsistentRead: true }))).Item;
}

/** The partition keys in the stream so far, once one of them is there. */
async function streamedUntil(pk: string): Promise<readonly (string | undefined)[]> {
  const streamed = () =>
    platform.output
      .flatMap((text) => text.trim().split('\n'))
      .flatMap((line) => (JSON.parse(line) as { Records: StreamRecord[] }).Records)
      .map(({ dynamodb }) => (dynamodb.Keys['pk'] as { S?: string }).S);
  await expect.poll(streamed, { timeout: 15_000 }).toContain(pk);
  return streamed();
}

describe('a transaction', () => {
  it('writes, changes and deletes items together, and each is in the stream', async () => {
    await client.send(new PutItemCommand({ TableName, Item: { ...keyOf('old'), amount: { N: '1' } } }));
    await client.send(new PutItemCommand({ TableName, Item: { ...keyOf('sum'), amount: { N: '1' } } }));
    const { ConsumedCapacity } = await transact(
      put('new', { by: { S: 'me' } }),
      add('sum', '2'),
      { Delete: { TableName, Key: keyOf('old') } },
      {
        ConditionCheck: { TableName, Key: keyOf('nobody'), ConditionExpression: 'attribute_not_exists(pk)' },
      },
    );
    expect([await itemOf('new'), await itemOf('sum'), await itemOf('old'), await itemOf('nobody')]).toEqual([
      { ...keyOf('new'), by: { S: 'me' } },
      { ...keyOf('sum'), amount: { N: '3' } },
      undefined,
      undefined,
    ]);
    // Three items of up to 1 KB, each written twice.
    expect(ConsumedCapacity?.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0)).toBe(6);
    expect(await streamedUntil('new')).toContain('old');
  });

  it('writes nothing if one condition fails, and says which', async () => {
    await transact(put('taken', { by: { S: 'first' } }));
    const taken = put('taken');
    const failure = transact(put('beside'), {
      Put: { ...taken.Put, TableName, Item: keyOf('taken'), ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
    });
    await expect(failure).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      message:
        'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]',
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed', Item: { ...keyOf('taken'), by: { S: 'first' } } },
      ],
    });
    expect(await itemOf('beside')).toBeUndefined();
    await transact(put('later'));
    expect(await streamedUntil('later')).not.toContain('beside');
  });

  it('writes nothing if an update does not fit its item', async () => {
    await transact(put('text', { amount: { S: 'many' } }));
    await expect(transact(put('undone'), add('text', '1'))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    expect(await itemOf('undone')).toBeUndefined();
  });

  it('lets one of many win that put the same item', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, number) => transact(put('contested'), put(`winner-${String(number)}`))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winners = await Promise.all(outcomes.map((_, number) => itemOf(`winner-${String(number)}`)));
    expect(winners.filter((item) => item !== undefined)).toHaveLength(1);
  });

  it('needs the right to each of its actions', async () => {
    const writer = new DynamoDBClient(platform.clientOf('Writer'));
    const send = (...TransactItems: TransactWriteItem[]) =>
      writer.send(new TransactWriteItemsCommand({ TransactItems }));
    await send(put('allowed'), add('sum', '1'));
    const check = { ConditionCheck: { TableName, Key: keyOf('allowed'), ...absent } };
    for (const [denied, action] of [
      [{ Delete: { TableName, Key: keyOf('allowed') } }, 'dynamodb:DeleteItem'],
      [check, 'dynamodb:ConditionCheckItem'],
    ] as const)
      await expect(send(denied)).rejects.toMatchObject({
        name: 'AccessDeniedException',
        message: expect.stringContaining(`is not authorized to perform: ${action} on`) as unknown,
      });
  });

  it.each<[string, TransactWriteItem[]]>([
    ['no item', []],
    ['two actions on one item', [put('same'), add('same', '1')]],
    ['an invalid condition', [{ Put: { TableName, Item: keyOf('x'), ConditionExpression: 'nonsense(' } }]],
  ])('of %s is refused', async (_what, items) => {
    await expect(transact(...items)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('on a table that does not exist is refused', async () => {
    const Item = keyOf('x');
    await expect(transact({ Put: { TableName: 'nowhere', Item } })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});
