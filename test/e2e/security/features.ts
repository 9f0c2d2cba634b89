import { randomUUID } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import type { Endpoint } from '../../core/targets/endpoint.ts';
import { json } from '../../core/targets/endpoint.ts';
import type { Client } from '../client.ts';
import { signToken, type Stack, stackSecret, type User } from '../stack.ts';
import { onTable } from '../tables.ts';

/** A stack that is in use, and the text that is in the content of every message. */
export interface Use {
  readonly stack: Stack;
  readonly endpoint: Endpoint;
  readonly text: string;
}

/** What signs the tokens of the stack. */
export const tokenSecret = stackSecret;

export function tokenOf(user: User): Promise<string> {
  return signToken({ type: 'member', tenant: 'default', topics: ['*'], ttlSeconds: 3600, ...user });
}

/** Uses everything that a stack offers, at least once, and expects that it works. */
export async function useEverything(use: Use): Promise<void> {
  const { stack, endpoint, text } = use;
  endpoint.respond = json({ content: { text } });
  const [ada, ben, cyd] = await Promise.all(
    ['ada', 'ben', 'cyd'].map((user) => stack.connect({ user, topics: ['*'] })),
  );
  if (!ada || !ben || !cyd) throw new Error('Three clients are connected.');
  await useTopics(use, ada);
  await useListeners(use, ada);
  await useTargets(ada, text);
  await useLogs(use, ada);
  await publishToEach(use);
  await publishToMany(use);
  await useServiceRoutes(use);
  await meetGoneSessions(use, ada);
  await disconnect(use);
  await outliveToken(use);
  await failLifecycle(use);
  await failJob(use);
}

async function ask(client: Client, type: string, content: unknown): Promise<unknown> {
  const id = randomUUID();
  client.send({ type, id, content });
  for (;;) {
    const frame = await client.next();
    if (frame['id'] !== id) continue;
    expect(frame).toMatchObject({ type: 'ack' });
    return frame['content'];
  }
}

async function publish({ stack, text }: Use, body: Record<string, unknown>): Promise<unknown> {
  const answer = await stack.publish({ type: 'news', content: { text }, ...body });
  expect([200, 202]).toContain(answer.status);
  return answer.body;
}

async function sessionOf({ stack }: Pick<Use, 'stack'>, user: string): Promise<string> {
  const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
  return (body as { sessions: [{ connectionId: string }] }).sessions[0].connectionId;
}

async function useTopics(use: Use, client: Client): Promise<void> {
  await ask(client, 'subscribe', { topic: 'orders.eu' });
  await ask(client, 'subscribe', { topic: 'orders.eu', epoch: '' });
  for (const topic of ['news.eu', 'news.us']) await ask(client, 'subscribe', { topic });
  await publish(use, { to: 'topic:orders.eu' });
  await ask(client, 'refresh', { token: await tokenOf({ user: 'ada', ttlSeconds: 3700 }) });
  await ask(client, 'unsubscribe', { topic: 'news.us' });
}

async function useListeners({ stack, text }: Use, client: Client): Promise<void> {
  await ask(client, 'echo', { text });
  await ask(client, 'echo', JSON.stringify({ text }));
  const session = `session:${await sessionOf({ stack }, 'ada')}`;
  for (const to of ['user:member:ada', session, 'topic:orders.eu', 'type:member', 'everyone'])
    await ask(client, 'tell', { to: [to], text });
  await ask(client, 'tell', { to: ['user:member:ada'], text, durable: true });
  const response = await fetch(`${stack.url}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf({ user: 'ada' })}` },
    body: JSON.stringify({ type: 'echo', content: { text } }),
  });
  expect(response.status).toBe(200);
}

async function useTargets(client: Client, text: string): Promise<void> {
  for (const type of ['order-create', 'crm-find'])
    expect(await ask(client, type, { text })).toEqual({ text });
}

/** Takes an offset of the log for a writer that never writes. */
async function leaveGap({ stack }: Use, channel: string): Promise<void> {
  const update = {
    Key: { pk: `CHANNEL#default#${channel}`, sk: 'HEAD' },
    UpdateExpression: 'ADD #offset :one',
    ExpressionAttributeNames: { '#offset': 'offset' },
    ExpressionAttributeValues: { ':one': 1 },
  };
  await onTable(stack, 'State', (db, TableName) => db.send(new UpdateCommand({ TableName, ...update })));
}

async function useLogs(use: Use, client: Client): Promise<void> {
  const channels = ['user:member:ada', 'type:member', 'everyone', 'topic:orders.eu'];
  for (const to of channels) await publish(use, { to, durable: true });
  for (const channel of channels) await leaveGap(use, channel);
  for (const to of channels) await publish(use, { to, durable: true });
  await ask(client, 'recover', { channels: channels.map((channel) => ({ channel, epoch: '' })) });
  const list = (await ask(client, 'inbox-list', {})) as { head: number };
  await ask(client, 'inbox-unread', {});
  await ask(client, 'inbox-mark-read', { offset: list.head });
  await leaveGap(use, 'user:member:ada');
  const read = await use.stack.call('GET', `/channels/${encodeURIComponent('user:member:ada')}/messages`);
  expect(read).toMatchObject({ status: 200, body: { head: list.head + 1 } });
}

async function publishToEach(use: Use): Promise<void> {
  const messageId = randomUUID();
  const to = ['user:member:ada', `session:${await sessionOf(use, 'ada')}`];
  const body = { to, messageId, report: 'recipients' };
  expect(await publish(use, body)).toMatchObject({ delivered: 1 });
  expect(await publish(use, body)).toMatchObject({ delivered: 1 });
  await publish(use, { to: 'user:member:ada', messageId: randomUUID(), durable: true });
}

async function publishToMany(use: Use): Promise<void> {
  const session = `session:${await sessionOf(use, 'ben')}`;
  const targets = [['everyone'], ['type:member', 'topic:news.eu', session, 'user:member:ada']];
  for (const to of targets) {
    const messageId = randomUUID();
    expect(await publish(use, { to, messageId, report: 'recipients' })).toMatchObject({ status: 'accepted' });
    const path = `/publications/${messageId}?recipients=true`;
    await expect
      .poll(() => use.stack.call('GET', path), { timeout: 30_000 })
      .toMatchObject({ body: { status: 'done', recipients: [{}, {}, {}] } });
  }
}

async function useServiceRoutes({ stack }: Use): Promise<void> {
  for (const user of ['by-id', 'by-user']) {
    const client = await stack.connect({ user, topics: ['*'] });
    await ask(client, 'subscribe', { topic: 'news.eu' });
    const id = encodeURIComponent(await sessionOf({ stack }, user));
    expect((await stack.call('GET', `/sessions/${id}`)).status).toBe(200);
    expect((await stack.call('GET', '/sessions?userType=member')).status).toBe(200);
    const closed = client.closed();
    const path = user === 'by-id' ? `/sessions/${id}` : `/sessions?userType=member&userId=${user}`;
    expect(await stack.call('DELETE', path)).toEqual({ status: 200, body: { closed: 1 } });
    expect((await closed).code).toBe(1000);
  }
}

async function setFaults({ stack }: Pick<Use, 'stack'>, faults: object): Promise<void> {
  await fetch(`${stack.url}/_local/faults`, { method: 'PUT', body: JSON.stringify(faults) });
}

/** Leaves the row of a session whose `$disconnect` was lost, old enough that a 410 is believed. */
async function leaveGoneSession({ stack }: Use, user: string): Promise<void> {
  const client = await stack.connect({ user, topics: ['*'] });
  await ask(client, 'subscribe', { topic: 'orders.eu' });
  const connectionId = await sessionOf({ stack }, user);
  await setFaults({ stack }, { lostDisconnect: 1 });
  await client.close();
  await setFaults({ stack }, {});
  const update = {
    Key: { pk: `USER#default#member#${user}`, sk: connectionId },
    UpdateExpression: 'SET connectedAt = connectedAt - :ms',
    ExpressionAttributeValues: { ':ms': 300_000 },
  };
  await onTable(stack, 'Sessions', (db, TableName) => db.send(new UpdateCommand({ TableName, ...update })));
}

/** Each function that posts deletes a session that is gone. */
async function meetGoneSessions(use: Use, client: Client): Promise<void> {
  const { stack, text } = use;
  const posts: Readonly<Record<string, (user: string) => Promise<unknown>>> = {
    'gone-1': (user) => publish(use, { to: ['user:member:ada', `user:member:${user}`] }),
    'gone-2': (user) => ask(client, 'tell', { to: ['user:member:ada', `user:member:${user}`], text }),
    'gone-3': () => publish(use, { to: ['everyone'] }),
  };
  for (const [user, post] of Object.entries(posts)) {
    await leaveGoneSession(use, user);
    await post(user);
    const left = () => stack.call('GET', `/sessions?userType=member&userId=${user}`);
    await expect.poll(left).toMatchObject({ body: { sessions: [] } });
  }
}

/** The end of a session ends its subscriptions. */
async function disconnect({ stack }: Use): Promise<void> {
  const client = await stack.connect({ user: 'leaver', topics: ['*'] });
  await ask(client, 'subscribe', { topic: 'news.eu' });
  await client.close();
}

/** A frame after the token's `exp` ends the session. */
async function outliveToken({ stack }: Use): Promise<void> {
  const client = await stack.connect({ user: 'short', ttlSeconds: 2 });
  const closed = client.closed();
  const frames = setInterval(() => client.send('ping'), 250);
  expect((await closed).code).toBe(1000);
  clearInterval(frames);
}

/** A lifecycle target that fails twice: its event waits in the queue, and then waits again. */
async function failLifecycle({ stack, endpoint }: Use): Promise<void> {
  let failures = 0;
  endpoint.respond = (response, { body }) => {
    const fails = body.includes('untold');
    if (fails) failures += 1;
    response.writeHead(fails ? 500 : 204).end();
  };
  await stack.connect({ user: 'untold' });
  await expect.poll(() => failures, { timeout: 30_000 }).toBe(2);
  endpoint.respond = json(null);
}

/** A message in the queue of jobs that is no job fails, and is retried. */
async function failJob({ stack }: Use): Promise<void> {
  const sqs = new SQSClient({ endpoint: stack.url, region: localRegion, credentials: localKeys });
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(stack, 'Jobs'), MessageBody: '{}' }));
  sqs.destroy();
  const isLogged = () => stack.lines.some((line) => line.includes('job failed'));
  await expect.poll(isLogged, { timeout: 30_000 }).toBe(true);
}

/** The URL of the queue whose logical id has this part. */
export function queueUrl({ cloud }: Stack, part: string): string {
  const queues = cloud.deployment.ofType('AWS::SQS::Queue');
  return cloud.deployment.physicalId(
    queues.find(({ logicalId }) => logicalId.includes(part))?.logicalId ?? '',
  );
}
