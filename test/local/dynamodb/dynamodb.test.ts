import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';
import { keysOfSessions as schema, sessionsTable } from './sessions-table.ts';

const tableArn = { 'Fn::GetAtt': ['Sessions', 'Arn'] };
const assembly = writeAssembly({
  Resources: {
    Sessions: sessionsTable,
    ...lambdaWithRole('Writer', 'exports.handler = async () => null', {
      statements: [
        allow(['dynamodb:PutItem', 'dynamodb:Query'], tableArn),
        allow('dynamodb:BatchWriteItem', '*'),
      ],
    }),
    ...lambdaWithRole('Ticketer', 'exports.handler = async () => null', {
      statements: [
        {
          ...allow(['dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:Query'], tableArn),
          Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'TICKET#*' } },
        },
      ],
    }),
    ...lambdaWithRole('Reader', 'exports.handler = async () => null', {
      statements: [allow('dynamodb:Query', { 'Fn::Join': ['', [tableArn, '/index/*']] })],
    }),
  },
});
const platform = await startPlatform(assembly);
const TableName = platform.deployment.physicalId('Sessions');
const client = new DynamoDBClient(platform.client);
const key = (name: string) => ({ pk: { S: name }, sk: { S: 'a' } });

describe('DynamoDB', () => {
  it('makes the tables of the template and keeps items in them', async () => {
    await client.send(new PutItemCommand({ TableName, Item: { ...key('kept'), n: { N: '7' } } }));
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: key('kept') }));
    expect(Item).toEqual({ ...key('kept'), n: { N: '7' } });
  });

  it('finds a table by its ARN too', async () => {
    const TableArn = platform.deployment.attribute('Sessions', 'Arn');
    await client.send(new PutItemCommand({ TableName: TableArn, Item: key('by arn') }));
    const { Item } = await client.send(new GetItemCommand({ TableName: TableArn, Key: key('by arn') }));
    expect(Item).toEqual(key('by arn'));
  });

  it('names principal, action and resource in a refusal', async () => {
    const writer = new DynamoDBClient(platform.clientOf('Writer'));
    const name = platform.deployment.physicalId('Writer');
    const role = platform.deployment.physicalId('WriterRole');
    await expect(writer.send(new DeleteItemCommand({ TableName, Key: key('x') }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message:
        `User: arn:aws:sts::000000000000:assumed-role/${role}/${name} is not authorized to perform: ` +
        `dynamodb:DeleteItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/${TableName} ` +
        'because no identity-based policy allows the dynamodb:DeleteItem action',
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('checks the partition key of a call for one item, if the policy names keys', async () => {
    const ticketer = new DynamoDBClient(platform.clientOf('Ticketer'));
    await ticketer.send(new PutItemCommand({ TableName, Item: key('TICKET#1') }));
    await ticketer.send(new DeleteItemCommand({ TableName, Key: key('TICKET#1') }));
    const denied = { name: 'AccessDeniedException' };
    const put = new PutItemCommand({ TableName, Item: key('CHANNEL#1') });
    await expect(ticketer.send(put)).rejects.toMatchObject(denied);
    const remove = new DeleteItemCommand({ TableName, Key: key('CHANNEL#TICKET#1') });
    await expect(ticketer.send(remove)).rejects.toMatchObject(denied);
    const query = new QueryCommand({
      TableName,
      KeyConditionExpression: 'pk = :v',
      ExpressionAttributeValues: { ':v': { S: 'TICKET#1' } },
    });
    await expect(ticketer.send(query)).rejects.toMatchObject(denied);
  });

  it('checks a query of an index against the ARN of the index', async () => {
    const query = (IndexName?: string) =>
      new QueryCommand({
        TableName,
        ...(IndexName === undefined ? {} : { IndexName }),
        KeyConditionExpression: `${IndexName === undefined ? 'pk' : 'audience'} = :v`,
        ExpressionAttributeValues: { ':v': { S: 'nobody' } },
      });
    const writer = new DynamoDBClient(platform.clientOf('Writer'));
    const reader = new DynamoDBClient(platform.clientOf('Reader'));
    await expect(writer.send(query())).resolves.toMatchObject({ Count: 0 });
    await expect(writer.send(query('byAudience'))).rejects.toThrow(`table/${TableName}/index/byAudience`);
    await expect(reader.send(query('byAudience'))).resolves.toMatchObject({ Count: 0 });
    await expect(reader.send(query())).rejects.toThrow('dynamodb:Query');
  });

  it('checks a batch against the action of the batch', async () => {
    const writer = new DynamoDBClient(platform.clientOf('Writer'));
    const request = { RequestItems: { [TableName]: [{ PutRequest: { Item: key('batch') } }] } };
    await expect(writer.send(new BatchWriteItemCommand(request))).resolves.toMatchObject({
      UnprocessedItems: {},
    });
    const get = new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [key('batch')] } } });
    await expect(writer.send(get)).rejects.toThrow('dynamodb:BatchGetItem');
  });

  it('refuses a wrong secret and an unknown key', async () => {
    const attempt = (accessKeyId: string) =>
      new DynamoDBClient({ ...platform.client, credentials: { accessKeyId, secretAccessKey: 'wrong' } }).send(
        new ScanCommand({ TableName }),
      );
    await expect(attempt('local')).rejects.toMatchObject({ name: 'InvalidSignatureException' });
    await expect(attempt('nobody')).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  });

  it('refuses an operation that it does not run', async () => {
    const transaction = new TransactGetItemsCommand({
      TransactItems: [{ Get: { TableName, Key: key('x') } }],
    });
    await expect(client.send(transaction)).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });

  it('returns the item that made a condition fail', async () => {
    await client.send(new PutItemCommand({ TableName, Item: { ...key('taken'), by: { S: 'first' } } }));
    const again = new PutItemCommand({
      TableName,
      Item: key('taken'),
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await expect(client.send(again)).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { ...key('taken'), by: { S: 'first' } },
    });
  });

  it('keeps its tables in the data folder over a restart', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tables-'));
    onTestFinished(() => {
      rmSync(dataDir, { recursive: true, force: true });
    });
    const first = await startPlatform(assembly, { dataDir });
    await new DynamoDBClient(first.client).send(new PutItemCommand({ TableName, Item: key('durable') }));
    await first.close();
    const second = await startPlatform(assembly, { dataDir });
    const { Item } = await new DynamoDBClient(second.client).send(
      new GetItemCommand({ TableName, Key: key('durable') }),
    );
    await second.close();
    expect(Item).toEqual(key('durable'));
  });

  it('does not reuse a stored table with other keys', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tables-'));
    onTestFinished(() => {
      rmSync(dataDir, { recursive: true, force: true });
    });
    await (await startPlatform(assembly, { dataDir })).close();
    const { GlobalSecondaryIndexes: _, ...plain } = schema;
    const AttributeDefinitions = schema.AttributeDefinitions.slice(0, 2);
    const changed = {
      Sessions: { Type: 'AWS::DynamoDB::GlobalTable', Properties: { ...plain, AttributeDefinitions } },
    };
    const starting = startPlatform(writeAssembly({ Resources: changed }), { dataDir });
    await expect(starting).rejects.toThrow(
      `Sessions: the table ${TableName} exists with other keys or indexes. Restart`,
    );
  });
});
