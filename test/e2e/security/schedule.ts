import { randomUUID } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import { ask, queueUrl, type Use } from './use.ts';

/** Schedules, cancels and delivers, of a service and of a listener. All of it is in a tenant of its own. */
export async function useSchedule({ stack, text }: Use): Promise<void> {
  const tenant = 'scheduled';
  const clients = await Promise.all(['eve', 'fay', 'gil'].map((user) => stack.connect({ user, tenant })));
  const [eve] = clients;
  if (!eve) throw new Error('Eve is connected.');
  const publish = (to: string, differing: Record<string, unknown>) =>
    stack.publish({ to, tenant, type: 'news', content: { text }, messageId: randomUUID(), ...differing });
  const messageId = randomUUID();
  await publish('everyone', { messageId, deliverAt: Date.now() + 3_600_000 });
  const path = `/publications/${messageId}?tenant=${tenant}`;
  expect(await stack.call('DELETE', path)).toEqual({ status: 200, body: { cancelled: true } });

  await ask(eve, 'tell', { to: ['user:member:eve'], text, deliverAt: Date.now() + 5000 });
  for (const to of ['user:member:eve', 'topic:none', 'everyone']) {
    const differing = { durable: to !== 'topic:none', report: 'recipients', deliverAt: Date.now() + 5000 };
    expect(await publish(to, differing)).toMatchObject({ status: 202 });
  }
  const types = [await eve.next(), await eve.next(), await eve.next()].map(({ type }) => type);
  expect(types.sort()).toEqual(['news', 'news', 'told']);

  // A message that is none fails, and is retried.
  const sqs = new SQSClient({ endpoint: stack.url, region: localRegion, credentials: localKeys });
  const QueueUrl = queueUrl(stack, 'ScheduleQueueMessages');
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{}' }));
  sqs.destroy();
  const isLogged = () => stack.lines.some((line) => line.includes('scheduled message failed'));
  await expect.poll(isLogged, { timeout: 30_000 }).toBe(true);
}
