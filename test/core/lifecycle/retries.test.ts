import { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { readLifecycleEvent } from '../../../core/lifecycle/event.ts';
import { createRetryQueue, readRetry } from '../../../core/lifecycle/retries.ts';
import { lifecycleRetrySeconds } from '../../../core/timing.ts';
import { startOfTime } from '../core-under-test.ts';
import { record } from './records.ts';

/** The queue on a client that only records its calls. */
function queueUnderTest() {
  const sqs = mockClient(SQSClient);
  sqs.on(SendMessageCommand).resolves({});
  sqs.on(ChangeMessageVisibilityCommand).resolves({});
  return {
    sqs,
    queue: createRetryQueue({ sqs: new SQSClient({ region: 'us-east-1' }), url: 'https://queue' }),
  };
}

describe('the queue of retries', () => {
  it.each([
    ['a beginning', record('INSERT', 'c1=')],
    ['an end', record('REMOVE', 'c1=', { endCode: { N: '1000' }, endReason: { S: 'kicked' } })],
    ['a lost end', record('REMOVE', 'c1=')],
  ])('carries %s unchanged', async (_name, change) => {
    const { sqs, queue } = queueUnderTest();
    const retry = { target: 'arn', event: readLifecycleEvent(change, startOfTime) };
    await queue.add(retry);
    const [call] = sqs.commandCalls(SendMessageCommand);
    expect(readRetry(call?.args[0].input.MessageBody ?? '')).toEqual(retry);
    expect(call?.args[0].input).toMatchObject({ QueueUrl: 'https://queue', DelaySeconds: 5 });
  });

  it('waits longer after each try, and not at all after the last', async () => {
    const { sqs, queue } = queueUnderTest();
    const tries = lifecycleRetrySeconds.map((_, index) => index + 1);
    for (const count of tries) await queue.postpone('receipt', count);
    const pauses = sqs
      .commandCalls(ChangeMessageVisibilityCommand)
      .map(({ args }) => args[0].input.VisibilityTimeout);
    expect(pauses).toEqual([300, 1800, 7200, 18_000, 36_000, 36_000, 0]);
  });

  it.each(['', '{}', '{"target":"arn","event":{"kind":"message"}}'])(
    'refuses %j, which is no retry',
    (body) => {
      expect(() => readRetry(body)).toThrow();
    },
  );
});
