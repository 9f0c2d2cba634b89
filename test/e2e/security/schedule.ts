import { randomUUID } from 'node:crypto';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { hashOf } from '../../../core/publications/publications.ts';
import { readPublishRequest } from '../../../protocol/index.ts';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import type { Stack } from '../stack.ts';
import { ask, queueUrl, type Use } from './use.ts';

/** Schedules, cancels and delivers, of a service and of a listener. All of it is in a tenant of its own. */
export async function useSchedule({ stack, text }: Use): Promise<void> {
  const tenant = 'scheduled';
  const clients = await Promise.all(['eve', 'fay', 'gil'].map((user) => stack.connect({ user, tenant })));
  const [eve] = clients;
  if (!eve) throw new Error('Eve is connected.');
  const publish = (to: string, differing: Record<string, unknown>) =>
    stack.publish({ to, tenant, type: 'news', content: { text }, messageId: randomUUID(), ...differing });
  const sqs = new SQSClient({ endpoint: stack.url, region: localRegion, credentials: localKeys });
  const QueueUrl = queueUrl(stack, 'ScheduleQueueMessages');
  const messageId = randomUUID();
  const later = Date.now() + 3_600_000;
  await publish('everyone', { messageId, deliverAt: later });
  // A message that comes too early goes back to the queue.
  const request = { to: 'everyone', tenant, type: 'news', content: { text }, messageId, deliverAt: later };
  const early = { tenant, messageId, deliverAt: later, hash: hashOf(readPublishRequest(request)) };
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(early) }));

  await ask(eve, 'tell', { to: ['user:member:eve'], text, deliverAt: Date.now() + 5000 });
  const { body } = await stack.call('GET', `/sessions?userType=member&userId=eve&tenant=${tenant}`);
  const session = `session:${(body as { sessions: [{ connectionId: string }] }).sessions[0].connectionId}`;
  for (const to of ['user:member:eve', 'topic:none', 'everyone', session]) {
    const durable = to !== 'topic:none' && to !== session;
    const differing = { durable, report: 'recipients', deliverAt: Date.now() + 5000 };
    expect(await publish(to, differing)).toMatchObject({ status: 202 });
  }
  await tick(stack);
  const types: unknown[] = [];
  for (let frame = 0; frame < 4; frame += 1) types.push((await eve.next())['type']);
  expect(types.sort()).toEqual(['news', 'news', 'news', 'told']);
  const path = `/publications/${messageId}?tenant=${tenant}`;
  expect(await stack.call('DELETE', path)).toEqual({ status: 200, body: { cancelled: true } });

  // A message that is none fails, and is retried.
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{}' }));
  sqs.destroy();
  const isLogged = () => stack.lines.some((line) => line.includes('scheduled message failed'));
  await expect.poll(isLogged, { timeout: 30_000 }).toBe(true);
}

/** The next minute may be far away. Faults that other steps set may kill the function. */
async function tick({ cloud, url }: Stack): Promise<void> {
  const functions = cloud.deployment.ofType('AWS::Lambda::Function');
  const schedule = functions.find(({ logicalId }) => logicalId.startsWith('SwitchboardSchedule'));
  const client = new LambdaClient({ endpoint: url, region: localRegion, credentials: localKeys });
  const FunctionName = cloud.deployment.physicalId(schedule?.logicalId ?? '');
  const invoke = () => client.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
  await expect.poll(async () => (await invoke()).FunctionError).toBeUndefined();
  client.destroy();
}
