import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { clientOf, connectEvent, queueEvent } from './events.ts';
import { useCloud } from './functions-under-test.ts';

const cloud = useCloud();
const messageId = '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11';
const minuteMs = 60_000;

afterEach(() => vi.useRealTimers());

describe('the function schedule', () => {
  it('hands over at the tick what a publish has scheduled, and delivers it', async () => {
    const { publish, schedule, sqs } = await load();
    const deliverAt = Date.now() + 10 * minuteMs;
    const body = { to: 'user:member:1', type: 'notice', content: 1, messageId, deliverAt };
    expect(await publish(body)).toEqual({ messageId, status: 'scheduled', deliverAt });
    await schedule(tick);
    expect(sqs.commandCalls(SendMessageBatchCommand)).toHaveLength(0);

    vi.setSystemTime(deliverAt - minuteMs);
    await schedule(tick);
    const [sent] = sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input.Entries);
    expect(sent).toMatchObject([{ DelaySeconds: 60, MessageGroupId: 'default' }]);
    vi.setSystemTime(deliverAt);
    expect(await schedule(queueEvent(sent?.[0]?.MessageBody ?? ''))).toEqual({ batchItemFailures: [] });
    expect(cloud.current().callbackApi.calls).toHaveLength(1);
  });

  it.each([
    { attempt: 2, seconds: 2 },
    { attempt: 5, seconds: 0 },
  ])('returns what fails attempt $attempt to the queue, for $seconds s', async ({ attempt, seconds }) => {
    const { schedule, sqs } = await load();
    const event = queueEvent('{}', attempt);
    const { messageId: itemIdentifier = '' } = event.Records[0] ?? {};
    expect(await schedule(event)).toEqual({ batchItemFailures: [{ itemIdentifier }] });
    const calls = sqs.commandCalls(ChangeMessageVisibilityCommand).map(({ args }) => args[0].input);
    expect(calls).toMatchObject([{ VisibilityTimeout: seconds }]);
    expect(cloud.current().logged()).toContain('scheduled message failed');
  });
});

/** What EventBridge Scheduler sends has no records. */
const tick = { version: '0', 'detail-type': 'Scheduled Event', source: 'aws.scheduler', detail: '{}' };

async function load() {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.stubEnv('SCHEDULE_QUEUE_URL', 'http://127.0.0.1:9/none');
  const sqs = mockClient(SQSClient);
  sqs.on(SendMessageBatchCommand).resolves({});
  sqs.on(ChangeMessageVisibilityCommand).resolves({});
  const { handler: connect } = await import('../../lambdas/connect.ts');
  const { handler: publish } = await import('../../lambdas/publish.ts');
  const { handler: schedule } = await import('../../lambdas/schedule.ts');
  await connect(connectEvent(clientOf('c1=')));
  return { publish, schedule, sqs };
}
