import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { clientOf, connectEvent, disconnectEvent, nulls } from './events.ts';
import { useCloud } from './functions-under-test.ts';

const cloud = useCloud();

describe('$connect', () => {
  it('stores the session before the handshake is answered', async () => {
    const client = clientOf('c1=');
    const { connect } = await load();
    expect(await connect(connectEvent(client))).toEqual({ statusCode: 200 });
    expect(await rows()).toMatchObject([
      {
        sk: 'c1=',
        connectedAt: client.connectedAt,
        tokenExpiresAt: client.tokenExpiresAt,
        sourceIp: '192.0.2.1',
        userAgent: 'Mozilla/5.0',
      },
    ]);
  });

  it('takes an event with nulls in it', async () => {
    const { connect } = await load();
    const event = connectEvent(clientOf('c1='));
    const requestContext = { ...event.requestContext, ...nulls };
    const withNulls = { ...event, headers: null, queryStringParameters: null, requestContext };
    expect(await connect(withNulls)).toEqual({ statusCode: 200 });
    expect(await rows()).toMatchObject([{ sk: 'c1=', sourceIp: '192.0.2.1', userAgent: '' }]);
  });

  it('that cannot store is answered 500, and logs the fault without the token', async () => {
    vi.stubEnv('SESSIONS_TABLE', 'missing');
    const { connect } = await load();
    const event = connectEvent(clientOf('c1='), { token: 'head.swordfish.signature' });
    expect(await connect(event)).toEqual({ statusCode: 500 });
    expect(cloud.current().logged()).toContain('session was not stored');
    expect(cloud.current().logged()).toContain('ResourceNotFoundException');
    expect(cloud.current().logged()).not.toContain('swordfish');
  });

  it('logs nothing if it succeeds', async () => {
    const { connect } = await load();
    await connect(connectEvent(clientOf('c1='), { token: 'head.swordfish.signature' }));
    expect(cloud.current().logged()).not.toContain('swordfish');
  });
});

describe('$disconnect', () => {
  it('deletes only the session of its own connection, and may come twice', async () => {
    const { connect, disconnect } = await load();
    const old = clientOf('old=');
    await connect(connectEvent(old));
    await connect(connectEvent(clientOf('new=')));
    expect(await disconnect(disconnectEvent(old))).toEqual({ statusCode: 200 });
    expect(await disconnect(disconnectEvent(old))).toEqual({ statusCode: 200 });
    expect(await rows()).toMatchObject([{ sk: 'new=' }]);
  });

  it('takes an event with nulls in it', async () => {
    const { connect, disconnect } = await load();
    const client = clientOf('c1=');
    await connect(connectEvent(client));
    const event = disconnectEvent(client);
    const withNulls = { ...event, headers: null, requestContext: { ...event.requestContext, ...nulls } };
    await disconnect(withNulls);
    expect(await rows()).toEqual([]);
  });
});

async function load() {
  const { handler: connect } = await import('../../lambdas/connect.ts');
  const { handler: disconnect } = await import('../../lambdas/disconnect.ts');
  return { connect, disconnect };
}

async function rows() {
  const { dynamodbEndpoint: endpoint, tables } = cloud.current();
  const client = new DynamoDBClient({ endpoint });
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: tables.sessions,
      KeyConditionExpression: 'pk = :user',
      ExpressionAttributeValues: { ':user': 'USER#default#member#1' },
    }),
  );
  return Items;
}
