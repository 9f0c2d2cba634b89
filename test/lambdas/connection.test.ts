import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { readCheck } from '../../core/sessions/check-queue.ts';
import { createRevocations } from '../../core/sessions/revocations.ts';
import { useCheckQueue } from '../core/sessions/check-queue-under-test.ts';
import { clientOf, connectEvent, disconnectEvent, nulls } from './events.ts';
import { useCloud } from './functions-under-test.ts';

const cloud = useCloud();
const queues = useCheckQueue();

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
    expect(cloud.current().logged()).toContain('session was not opened');
    expect(cloud.current().logged()).toContain('ResourceNotFoundException');
    expect(cloud.current().logged()).not.toContain('swordfish');
  });

  it('has the session looked at when its token expires', async () => {
    const queue = await queues.create();
    vi.stubEnv('CHECK_QUEUE_URL', queue.url);
    vi.stubEnv('AWS_ENDPOINT_URL', queue.endpoint);
    const { connect } = await load();
    await connect(connectEvent(clientOf('c1=', { tokenExpiresAt: Date.now() + 1_000 })));
    const user = { tenant: 'default', userType: 'member', userId: '1' };
    expect(readCheck((await queue.receive()).body)).toEqual({ ...user, connectionId: 'c1=' });
  });

  it('above the rate of its user is answered 429, and leaves no row', async () => {
    vi.stubEnv('USER_RATE', '{"rateLimit":1,"burstLimit":5}');
    const { connect } = await load();
    const statuses: number[] = [];
    // A window may end between two of them, and not twice.
    for (let at = 0; at < 16; at += 1)
      statuses.push((await connect(connectEvent(clientOf(`c${String(at)}=`)))).statusCode);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const opened = statuses.filter((status) => status === 200);
    expect(opened.length).toBeGreaterThanOrEqual(5);
    expect(await rows()).toHaveLength(opened.length);
    expect(cloud.current().logged()).toContain('the user connects too often');
    expect((await connect(connectEvent(clientOf('other=', { userId: '2' })))).statusCode).toBe(200);
  });

  it('costs a quiet user no write of the counter', async () => {
    const { connect } = await load();
    for (let at = 0; at < 20; at += 1) await connect(connectEvent(clientOf(`c${String(at)}=`)));
    const db = new DynamoDBClient({ endpoint: cloud.current().dynamodbEndpoint });
    const { Items = [] } = await db.send(new ScanCommand({ TableName: cloud.current().tables.state }));
    // That the tenant and the user type were seen is noted once a day.
    expect(Items.map(({ pk }) => pk?.S?.split('#')[0])).toEqual(['SEEN', 'SEEN']);
  });

  it('of a revoked token is answered 403, leaves no row, and its reason is in the log', async () => {
    const { connect } = await load();
    const { db } = await import('../../lambdas/database.ts');
    const table = cloud.current().tables.sessions;
    const revocations = createRevocations({ db, table, clock: { now: () => Date.now() } });
    await revocations.revoke({ tenant: 'default', userType: 'member', userId: '1' });
    expect(await connect(connectEvent(clientOf('c1=')))).toEqual({ statusCode: 403 });
    expect(cloud.current().logged()).toContain('token was revoked');
    expect(await rows()).toMatchObject([{ sk: '~revoked' }]);
  });

  it('of a revoked token that is tried again and again fills no log', async () => {
    const { connect } = await load();
    const { db } = await import('../../lambdas/database.ts');
    const table = cloud.current().tables.sessions;
    const revocations = createRevocations({ db, table, clock: { now: () => Date.now() } });
    await revocations.revoke({ tenant: 'default', userType: 'member', userId: '1' });
    const frozen = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
    for (let index = 0; index < 8; index += 1) await connect(connectEvent(clientOf(`c${index}=`)));
    frozen.mockRestore();
    expect(
      cloud
        .current()
        .logged()
        .match(/handshake refused/g),
    ).toHaveLength(5);
  });

  it('of a session above the maximum ends the oldest', async () => {
    const queue = await queues.create();
    vi.stubEnv('CHECK_QUEUE_URL', queue.url);
    vi.stubEnv('AWS_ENDPOINT_URL', queue.endpoint);
    vi.stubEnv('MAX_SESSIONS_PER_USER', '1');
    const { connect } = await load();
    const at = (connectedAt: number) => ({ connectedAt, tokenExpiresAt: connectedAt + 7_300_000 });
    await connect(connectEvent(clientOf('new=', at(Date.now()))));
    await connect(connectEvent(clientOf('old=', at(Date.now() - 1_000))));
    expect(readCheck((await queue.receive()).body)).toMatchObject({
      connectionId: 'old=',
      code: 'too_many_sessions',
    });
    expect(await rows()).toMatchObject([{ sk: 'new=' }, { sk: 'old=', endReason: 'too_many_sessions' }]);
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
