import { randomUUID } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import { json } from '../../core/targets/endpoint.ts';
import type { Client } from '../client.ts';
import { onTable } from '../tables.ts';
import { endSessions, useTickets } from './handshakes-and-ends.ts';
import { usePresence } from './presence.ts';
import { useSchedule } from './schedule.ts';
import { ask, queueUrl, sessionOf, setFaults, tokenOf, type Use } from './use.ts';

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
  // Each of these waits for a time to pass. The ends are of another tenant, so that the fan-outs do not count them.
  await Promise.all([
    publishToMany(use),
    useTickets(stack),
    endSessions(stack),
    failLifecycle(use),
    failJob(use),
    useSchedule(use),
  ]);
  await useServiceRoutes(use);
  await failClose(use);
  await meetGoneSessions(use, ada);
  await usePresence(use, (user) => leaveGoneSession(use, user));
  await disconnect(use);
}

async function publish({ stack, text }: Use, body: Record<string, unknown>): Promise<unknown> {
  const answer = await stack.publish({ type: 'news', content: { text }, ...body });
  expect([200, 202]).toContain(answer.status);
  return answer.body;
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
  expect(await ask(client, 'who', { users: ['member:ada', 'member:nobody'] })).toMatchObject([
    { online: true },
    { online: false },
  ]);
  const session = `session:${await sessionOf(stack, 'ada')}`;
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
  await ask(client, 'history', { channel: 'everyone' });
  await ask(client, 'inbox-unread', {});
  await ask(client, 'inbox-mark-read', { offset: list.head });
  await leaveGap(use, 'user:member:ada');
  const read = await use.stack.call('GET', `/channels/${encodeURIComponent('user:member:ada')}/messages`);
  expect(read).toMatchObject({ status: 200, body: { head: list.head + 1 } });
}

async function publishToEach(use: Use): Promise<void> {
  const messageId = randomUUID();
  const to = ['user:member:ada', `session:${await sessionOf(use.stack, 'ada')}`];
  const body = { to, messageId, report: 'recipients' };
  expect(await publish(use, body)).toMatchObject({ delivered: 1 });
  expect(await publish(use, body)).toMatchObject({ delivered: 1 });
  await publish(use, { to: 'user:member:ada', messageId: randomUUID(), durable: true });
}

async function publishToMany(use: Use): Promise<void> {
  const session = `session:${await sessionOf(use.stack, 'ben')}`;
  const targets = [['everyone'], ['type:member', 'topic:news.eu', session, 'user:member:ada']];
  const publishTo = async (to: readonly string[]) => {
    const messageId = randomUUID();
    expect(await publish(use, { to, messageId, report: 'recipients' })).toMatchObject({ status: 'accepted' });
    const path = `/publications/${messageId}?recipients=true`;
    await expect
      .poll(() => use.stack.call('GET', path), { timeout: 30_000 })
      .toMatchObject({ body: { status: 'done', recipients: [{}, {}, {}] } });
  };
  await Promise.all(targets.map(publishTo));
}

async function useServiceRoutes({ stack }: Use): Promise<void> {
  expect((await stack.call('GET', '/presence?users=member:ada,member:nobody')).status).toBe(200);
  for (const user of ['by-id', 'by-user']) {
    const client = await stack.connect({ user, topics: ['*'] });
    await ask(client, 'subscribe', { topic: 'news.eu' });
    const id = encodeURIComponent(await sessionOf(stack, user));
    expect((await stack.call('GET', `/sessions/${id}`)).status).toBe(200);
    expect((await stack.call('GET', '/sessions?userType=member')).status).toBe(200);
    const closed = client.closed();
    const path = user === 'by-id' ? `/sessions/${id}` : `/sessions?userType=member&userId=${user}`;
    expect(await stack.call('DELETE', path)).toEqual({ status: 200, body: { closed: 1 } });
    expect((await closed).code).toBe(1000);
  }
}

/** A session that API Gateway did not close is closed by a check. */
async function failClose({ stack }: Use): Promise<void> {
  const client = await stack.connect({ user: 'stays' });
  const closed = client.closed();
  await setFaults(stack, { throttled: 1 });
  expect(await stack.call('DELETE', '/sessions?userType=member&userId=stays')).toMatchObject({ status: 429 });
  await setFaults(stack, {});
  expect((await closed).code).toBe(1000);
}

/** Leaves the row of a session whose `$disconnect` was lost, old enough that a 410 is believed. */
async function leaveGoneSession({ stack }: Use, user: string): Promise<void> {
  const client = await stack.connect({ user, topics: ['*'] });
  await ask(client, 'subscribe', { topic: 'orders.eu' });
  const connectionId = await sessionOf(stack, user);
  await setFaults(stack, { lostDisconnect: 1 });
  await client.close();
  await setFaults(stack, {});
  const update = {
    Key: { pk: `USER#default#member#${user}`, sk: connectionId },
    UpdateExpression: 'SET connectedAt = connectedAt - :ms',
    ExpressionAttributeValues: { ':ms': 300_000 },
  };
  await onTable(stack, 'Sessions', (db, TableName) => db.send(new UpdateCommand({ TableName, ...update })));
}

/** Each function that posts deletes a session that is gone. It believes that only of an endpoint that delivers to Ada. */
async function meetGoneSessions(use: Use, client: Client): Promise<void> {
  const { stack, text } = use;
  const posts: Readonly<Record<string, (user: string) => Promise<unknown>>> = {
    'gone-1': (user) => publish(use, { to: ['user:member:ada', `user:member:${user}`] }),
    'gone-2': (user) => ask(client, 'tell', { to: ['user:member:ada', `user:member:${user}`], text }),
    'gone-3': () => publish(use, { to: ['everyone'] }),
    'gone-4': (user) =>
      publish(use, { to: ['user:member:ada', `user:member:${user}`], deliverAt: Date.now() + 2000 }),
  };
  for (const [user, post] of Object.entries(posts)) {
    await leaveGoneSession(use, user);
    await post(user);
    const left = () => stack.call('GET', `/sessions?userType=member&userId=${user}`);
    await expect.poll(left, { timeout: 15_000 }).toMatchObject({ body: { sessions: [] } });
  }
}

/** The end of a session ends its subscriptions. */
async function disconnect({ stack }: Use): Promise<void> {
  const client = await stack.connect({ user: 'leaver', topics: ['*'] });
  await ask(client, 'subscribe', { topic: 'news.eu' });
  await client.close();
}

/** A lifecycle target that fails twice: its event waits in the queue, and then waits again. */
async function failLifecycle({ stack, endpoint }: Use): Promise<void> {
  let failures = 0;
  endpoint.respond = (response, { body }) => {
    const fails = body.includes('untold');
    if (fails) failures += 1;
    response.writeHead(fails ? 500 : 204).end();
  };
  await stack.connect({ user: 'untold', tenant: 'others' });
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
