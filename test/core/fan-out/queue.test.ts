import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { createFanOutQueue, type FanOutJob, readJob } from '../../../core/fan-out/queue.ts';
import { watchTopic } from '../../../core/sessions/subscriptions/watches.ts';
import { parseTarget, Refusal } from '../../../protocol/index.ts';

const url = 'https://sqs.us-east-1.amazonaws.com/123456789012/jobs';
const job: FanOutJob = {
  tenant: 'acme',
  messageId: '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11',
  to: [{ kind: 'type', userType: 'member' }, { kind: 'everyone' }],
  exclude: ['c1='],
  frame: '{"type":"x"}',
  reportsRecipients: true,
  shard: 0,
};

/** The queue on a client that only records its calls. */
function queueUnderTest() {
  const sqs = mockClient(SQSClient);
  sqs.on(SendMessageBatchCommand).resolves({});
  sqs.on(ChangeMessageVisibilityCommand).resolves({});
  const queue = createFanOutQueue({ sqs: new SQSClient({ region: 'us-east-1' }), url });
  const batches = () =>
    sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input.Entries ?? []);
  return { sqs, queue, batches };
}

function shards(count: number, differing: Partial<FanOutJob> = {}): FanOutJob[] {
  return Array.from({ length: count }, (_, shard) => ({ ...job, ...differing, shard }));
}

describe('the queue of the fan-out', () => {
  it('carries a job unchanged', async () => {
    const { queue, batches } = queueUnderTest();
    await queue.send([job]);
    const bodies = batches().flatMap((entries) => entries.map(({ MessageBody = '' }) => MessageBody));
    expect(bodies.map(readJob)).toEqual([job]);
  });

  it('carries a job for watchers, although no publish may name them', async () => {
    const { queue, batches } = queueUnderTest();
    const watch = watchTopic({ kind: 'user', name: 'member:1' });
    const toWatchers: FanOutJob = { ...job, to: [{ kind: 'topic', topic: watch }] };
    await queue.send([toWatchers]);
    expect(readJob(batches()[0]?.[0]?.MessageBody ?? '')).toEqual(toWatchers);
    expect(() => parseTarget(`topic:${watch}`, 'to')).toThrow(Refusal);
  });

  it('puts each job into the message group of its tenant, which fair queues use', async () => {
    const { queue, batches } = queueUnderTest();
    await queue.send([...shards(2), ...shards(1, { tenant: 'globex' })]);
    const groups = batches().flatMap((entries) => entries.map(({ MessageGroupId }) => MessageGroupId));
    expect(groups).toEqual(['acme', 'acme', 'globex']);
  });

  it('sends at most 10 jobs in one call', async () => {
    const { queue, batches } = queueUnderTest();
    await queue.send(shards(23));
    expect(batches().map(({ length }) => length)).toEqual([10, 10, 3]);
  });

  it('sends at most 512 KB in one call', async () => {
    const { queue, batches } = queueUnderTest();
    await queue.send(shards(7, { frame: JSON.stringify('x'.repeat(200_000)) }));
    expect(batches().map(({ length }) => length)).toEqual([2, 2, 2, 1]);
  });

  it('makes no call for no jobs', async () => {
    const { queue, batches } = queueUnderTest();
    await queue.send([]);
    expect(batches()).toEqual([]);
  });

  it('sends a job above that size alone', async () => {
    const { queue, batches } = queueUnderTest();
    await queue.send(shards(2, { frame: JSON.stringify('x'.repeat(600_000)) }));
    expect(batches().map(({ length }) => length)).toEqual([1, 1]);
  });

  it('carries characters that SQS refuses', async () => {
    const { queue, batches } = queueUnderTest();
    const frame = JSON.stringify('\uffff \ufffe \ud800 🎉');
    await queue.send([{ ...job, frame }]);
    const [[entry] = []] = batches();
    expect(entry?.MessageBody).toMatch(/^[\t\n\r\u0020-\ud7ff\ue000-\ufffd]*$/);
    expect(readJob(entry?.MessageBody ?? '').frame).toBe(frame);
  });

  it('throws if SQS did not take every job', async () => {
    const { sqs, queue } = queueUnderTest();
    const refused = { Id: '1', SenderFault: false, Code: 'InternalError' };
    sqs.on(SendMessageBatchCommand).resolves({ Failed: [refused] });
    await expect(queue.send(shards(2))).rejects.toThrow('InternalError');
  });

  it('delivers a failed job again after the given seconds', async () => {
    const { sqs, queue } = queueUnderTest();
    await queue.retryIn('receipt', 30);
    const calls = sqs.commandCalls(ChangeMessageVisibilityCommand).map(({ args }) => args[0].input);
    expect(calls).toEqual([{ QueueUrl: url, ReceiptHandle: 'receipt', VisibilityTimeout: 30 }]);
  });
});
