import { expect, it } from 'vitest';
import { openEngine } from '../../../local/dynamodb/engine.ts';

it('answers what is under way before it closes, and refuses what comes later', async () => {
  const engine = openEngine({ region: 'us-east-1', accountId: '000000000000' });
  await engine.call('CreateTable', {
    TableName: 'orders',
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  });
  const table = async () => (await engine.call('DescribeTable', { TableName: 'orders' })).body['Table'];
  await expect.poll(table).toMatchObject({ TableStatus: 'ACTIVE' });
  const query = {
    TableName: 'orders',
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: '1' } },
  };
  const answer = engine.call('Query', query);
  await engine.close();
  expect(await answer).toMatchObject({ status: 200, body: { Count: 0 } });
  expect(await engine.call('Query', query)).toMatchObject({ status: 503 });
});
