import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import { useEndpoint } from '../../core/targets/endpoint.ts';
import type { Client } from '../client.ts';
import type { Stack } from '../stack.ts';
import { onTable } from '../tables.ts';
import { startStackWithTargets } from './stack-with-targets.ts';
import { stackSecret } from '../stack.ts';

const endpoint = useEndpoint();
let stack: Stack;
beforeAll(async () => {
  stack = await startStackWithTargets(endpoint.url);
});
afterAll(() => stack.close());
afterEach(() => setFaults({}));

interface Told {
  readonly kind: string;
  readonly messageId: string;
  readonly from: { readonly userId: string };
  readonly session: { readonly connectionId: string; readonly connectedAt: number };
  readonly code?: number;
  readonly reason?: string;
}

let users = 0;

/** Connects a user that no other test has. */
async function connect(): Promise<{ user: string; client: Client; connectionId: string }> {
  const user = `lifecycle-${String((users += 1))}`;
  const client = await stack.connect({ user });
  const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
  const [session] = (body as { sessions: { connectionId: string }[] }).sessions;
  return { user, client, connectionId: session?.connectionId ?? '' };
}

async function setFaults(faults: object): Promise<void> {
  await fetch(`${stack.url}/_local/faults`, { method: 'PUT', body: JSON.stringify(faults) });
}

/** What the function was told of the user, in order. It writes each event to its log. */
function toldFunction(user: string): Told[] {
  const events = stack.lines.flatMap((line) => /told (\{.*\})/.exec(line)?.[1] ?? []);
  return events.map((text) => JSON.parse(text) as Told).filter(({ from }) => from.userId === user);
}

/** What the endpoint was told of the user at a path, in order. */
function toldEndpoint(user: string, at = '/lifecycle'): Told[] {
  return endpoint.requests.values
    .filter(({ path }) => path === at)
    .map(({ body }) => JSON.parse(body) as Told)
    .filter(({ from }) => from.userId === user);
}

interface Heard {
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: Told;
}

/** What a rule of the event bus sent of the user to its queue, until the end of the session. */
async function heardOnBus(user: string): Promise<Heard[]> {
  const endpoint = stack.url;
  const sqs = new SQSClient({ endpoint, region: localRegion, credentials: localKeys });
  const QueueUrl = stack.cloud.deployment.outputs.get('HeardUrl');
  const receive = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 });
  const heard: Heard[] = [];
  while (!heard.some(({ detail }) => detail.kind === 'disconnected')) {
    const { Messages = [] } = await sqs.send(receive);
    const events = Messages.map(({ Body = '' }) => JSON.parse(Body) as Heard);
    heard.push(...events.filter(({ detail }) => detail.from.userId === user));
  }
  sqs.destroy();
  return heard;
}

/** Waits until both targets were told of the end, and expects exactly one beginning and this end. */
async function expectEnd(user: string, end: object): Promise<void> {
  const expected = [{ kind: 'connected' }, { kind: 'disconnected', ...end }];
  for (const told of [toldFunction, toldEndpoint]) {
    await expect.poll(() => told(user), { timeout: 20_000 }).toHaveLength(2);
    expect(told(user)).toMatchObject(expected);
  }
}

async function changeRow(user: string, connectionId: string, name: string, value: number): Promise<void> {
  await onTable(stack, 'Sessions', (db, TableName) =>
    db.send(
      new UpdateCommand({
        TableName,
        Key: { pk: `USER#default#member#${user}`, sk: connectionId },
        UpdateExpression: 'SET #name = :value',
        ExpressionAttributeNames: { '#name': name },
        ExpressionAttributeValues: { ':value': value },
      }),
    ),
  );
}

describe('lifecycle targets', () => {
  it('are told of a connect and of a disconnect, with the code and the reason of the client', async () => {
    const { user, client, connectionId } = await connect();
    client.socket.close(4001, 'bye');
    await expectEnd(user, { code: 4001, reason: 'bye' });
    const [connected, disconnected] = toldFunction(user);
    expect(connected).toEqual({
      kind: 'connected',
      messageId: expect.any(String) as unknown,
      from: { tenant: 'default', userType: 'member', userId: user },
      session: {
        connectionId,
        connectedAt: expect.any(Number) as unknown,
        tokenExpiresAt: expect.any(Number) as unknown,
      },
      sentAt: expect.any(Number) as unknown,
    });
    expect(disconnected?.session).toEqual(connected?.session);
    expect(toldEndpoint(user)).toEqual(toldFunction(user));
  });

  it('are not told of what happens in between', async () => {
    const user = `lifecycle-${String((users += 1))}`;
    const client = await stack.connect({ user, topics: ['*'] });
    await client.ask({ type: 'subscribe', id: '1', content: { topic: 'orders' } });
    await client.ask({ type: 'unsubscribe', id: '2', content: { topic: 'orders' } });
    await client.close();
    await expectEnd(user, { code: 1000, reason: 'closed' });
  });

  it('are not told of a revocation, but of the sessions that it ends', async () => {
    const { user } = await connect();
    const failures = () => stack.lines.filter((line) => line.includes('lifecycle event failed')).length;
    const before = failures();
    await stack.call('DELETE', `/sessions?revokeTokens=true&userId=${user}&userType=member`);
    await expectEnd(user, { code: 1000, reason: 'revoked' });
    // A later session is told of after the revocation would have been.
    const later = await connect();
    await later.client.close();
    await expectEnd(later.user, { code: 1000, reason: 'closed' });
    expect(failures()).toBe(before);
  });

  it('are told of a kick', async () => {
    const { user, connectionId } = await connect();
    await stack.call('DELETE', `/sessions/${encodeURIComponent(connectionId)}`);
    await expectEnd(user, { code: 1000, reason: 'kicked' });
  });

  it('are told of an end whose $disconnect was lost, when a publish meets the 410', async () => {
    const witness = await connect();
    const { user, client, connectionId } = await connect();
    await setFaults({ lostDisconnect: 1 });
    await client.close();
    // A 410 is believed from a session that is older than any handshake, at an endpoint that delivers.
    await changeRow(user, connectionId, 'connectedAt', Date.now() - 5 * 60_000);
    const to = [`user:member:${witness.user}`, `user:member:${user}`];
    const published = () => stack.publish({ to, type: 'x', content: 1 });
    await expect
      .poll(async () => (await published()).body, { timeout: 20_000 })
      .toMatchObject({ delivered: 1, gone: 0 });
    await expectEnd(user, { reason: 'lost' });
    expect(toldFunction(user)[1]).not.toHaveProperty('code');
  });

  it('are told of an end whose $disconnect was lost, when the TTL deletes the session', async () => {
    const { user, client, connectionId } = await connect();
    await setFaults({ lostDisconnect: 1, clockSpeed: 600 });
    await client.close();
    await changeRow(user, connectionId, 'expiresAt', Math.floor(Date.now() / 1000) - 60);
    await expectEnd(user, { reason: 'lost' });
  });

  it('may be an event bus, whose rules get the events with the detail that other targets get', async () => {
    const { user, client } = await connect();
    client.socket.close(4002, 'bye');
    const heard = await heardOnBus(user);
    expect(heard.map(({ source, 'detail-type': type }) => [source, type])).toEqual([
      ['switchboard', 'Session Connected'],
      ['switchboard', 'Session Disconnected'],
    ]);
    await expectEnd(user, { code: 4002, reason: 'bye' });
    expect(heard.map(({ detail }) => detail)).toEqual(toldFunction(user));
  });

  it('get posts that standardwebhooks verifies, with one id per event', async () => {
    const { user, client } = await connect();
    await client.close();
    await expectEnd(user, { code: 1000 });
    for (const { headers, body } of endpoint.requests.values.filter(({ path }) => path === '/lifecycle')) {
      const event = new Webhook(stackSecret).verify(body, headers as Record<string, string>) as Told;
      expect(headers['webhook-id']).toBe(event.messageId);
    }
  });

  it('that fail are told again, with the same id, and hold up no other target', async () => {
    let failures = 0;
    endpoint.respond = (response, { path }) => {
      const fails = path === '/failing' && (failures += 1) <= 1;
      response.writeHead(fails ? 500 : 204).end();
    };
    const { user, client } = await connect();
    await expect.poll(() => toldFunction(user)).toHaveLength(1);
    await expect.poll(() => toldEndpoint(user)).toHaveLength(1);
    await expect.poll(() => toldEndpoint(user, '/failing'), { timeout: 30_000 }).toHaveLength(2);
    const [first, second] = toldEndpoint(user, '/failing');
    expect(second).toEqual(first);
    expect(failures).toBe(2);
    await client.close();
    await expectEnd(user, { code: 1000 });
  });
});
