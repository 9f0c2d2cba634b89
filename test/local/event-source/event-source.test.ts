import {
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { type EventRecord, succeeded } from '../../../local/event-source/queue/message.ts';
import type { Outcome } from '../../../local/lambda/functions.ts';
import { asRecord } from '../../../local/json.ts';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startGate, waitAt } from '../harness/gate.ts';
import { type Platform, startPlatform } from '../harness/platform.ts';

const poll = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
const queueArn = { 'Fn::GetAtt': ['Jobs', 'Arn'] };
/** Prints each event, for the test to read. */
const printer = 'exports.handler = async (event) => { process.stdout.write(JSON.stringify(event)) }';

const patiently = { timeout: 15_000 };

interface Settings {
  readonly queue?: object;
  readonly lambda?: object;
  readonly mapping?: object;
  readonly code?: string;
  readonly actions?: readonly string[];
}

function template({ queue, lambda, mapping, code = printer, actions = poll }: Settings): object {
  return {
    Resources: {
      Dead: { Type: 'AWS::SQS::Queue', Properties: {} },
      Jobs: {
        Type: 'AWS::SQS::Queue',
        Properties: {
          VisibilityTimeout: 3,
          RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 1 },
          ...queue,
        },
      },
      ...lambdaWithRole('Worker', code, {
        properties: { Timeout: 1, ...lambda },
        statements: [allow(actions, queueArn)],
      }),
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { EventSourceArn: queueArn, FunctionName: { Ref: 'Worker' }, ...mapping },
      },
    },
  };
}

function start(settings: Settings): Promise<Platform> {
  return startPlatform(writeAssembly(template(settings)));
}

/** Sends messages and gives the bodies of those that come out at the dead-letter queue. */
async function deadOf(
  platform: Platform,
  bodies: readonly object[],
  expected: number,
): Promise<readonly unknown[]> {
  const client = new SQSClient(platform.client);
  const Entries = bodies.map((body, index) => ({ Id: String(index), MessageBody: JSON.stringify(body) }));
  await client.send(
    new SendMessageBatchCommand({ QueueUrl: platform.deployment.physicalId('Jobs'), Entries }),
  );
  const dead: unknown[] = [];
  const QueueUrl = platform.deployment.physicalId('Dead');
  while (dead.length < expected) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10, MaxNumberOfMessages: 10 }),
    );
    dead.push(...Messages.map(({ Body }) => JSON.parse(Body ?? '') as unknown));
  }
  return dead;
}

describe('an event source mapping', () => {
  it('passes messages on as an SQS event', async () => {
    const platform = await start({});
    const client = new SQSClient(platform.client);
    const QueueUrl = platform.deployment.physicalId('Jobs');
    const sent = await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: '{"answer":1}',
        MessageGroupId: 'tenant',
        MessageAttributes: { kind: { DataType: 'String', StringValue: 'x' } },
      }),
    );
    await expect.poll(() => platform.output.length, patiently).toBe(1);
    expect(JSON.parse(platform.output[0] ?? '')).toEqual({
      Records: [
        {
          messageId: sent.MessageId,
          receiptHandle: expect.any(String) as string,
          body: '{"answer":1}',
          attributes: expect.objectContaining({
            ApproximateReceiveCount: '1',
            MessageGroupId: 'tenant',
          }) as object,
          messageAttributes: {
            kind: { stringValue: 'x', dataType: 'String', stringListValues: [], binaryListValues: [] },
          },
          md5OfMessageAttributes: sent.MD5OfMessageAttributes,
          md5OfBody: sent.MD5OfMessageBody,
          eventSource: 'aws:sqs',
          eventSourceARN: platform.deployment.attribute('Jobs', 'Arn'),
          awsRegion: 'us-east-1',
        },
      ],
    });
    await platform.close();
  });

  it('passes a batch that succeeded to the function again, if a fault says so', async () => {
    const platform = await startPlatform(writeAssembly(template({})), { faults: { duplicateDelivery: 1 } });
    const QueueUrl = platform.deployment.physicalId('Jobs');
    await new SQSClient(platform.client).send(new SendMessageCommand({ QueueUrl, MessageBody: '{}' }));
    await expect.poll(() => platform.output.length, patiently).toBe(2);
    expect(platform.output[1]).toBe(platform.output[0]);
    expect(platform.meter.snapshot()).toMatchObject({ 'faults.duplicateDelivery': 1 });
    await platform.close();
  });

  it('retries only the failed messages of a partial response, which end in the dead-letter queue', async () => {
    const code = `exports.handler = async ({ Records }) => ({
      batchItemFailures: Records.filter(({ body }) => JSON.parse(body).bad).map(({ messageId }) => ({ itemIdentifier: messageId })) })`;
    const platform = await start({
      code,
      queue: { VisibilityTimeout: 1 },
      mapping: { FunctionResponseTypes: ['ReportBatchItemFailures'] },
    });
    expect(await deadOf(platform, [{ n: 1 }, { n: 2, bad: true }, { n: 3 }], 1)).toEqual([
      { n: 2, bad: true },
    ]);
    await platform.close();
  });

  it('retries the whole batch after an exception', async () => {
    const platform = await start({
      code: 'exports.handler = async () => { throw new Error("no") }',
      queue: { VisibilityTimeout: 1 },
    });
    const dead = await deadOf(platform, [{ n: 1 }, { n: 2 }], 2);
    expect(dead.map((body) => asRecord(body).n).sort()).toEqual([1, 2]);
    await platform.close();
  });

  it('runs as many batches at once as its maximum concurrency, each of the batch size', async () => {
    const gate = await startGate();
    const code = `exports.handler = async ({ Records }) => {
        process.stdout.write(JSON.stringify({ size: Records.length }));
        ${waitAt(gate)}
      }`;
    const platform = await start({
      code,
      queue: { VisibilityTimeout: 60 },
      lambda: { Timeout: 60 },
      // The window ends as soon as the batch is full.
      mapping: {
        BatchSize: 2,
        MaximumBatchingWindowInSeconds: 300,
        ScalingConfig: { MaximumConcurrency: 2 },
      },
    });
    const client = new SQSClient(platform.client);
    const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: String(index), MessageBody: '{}' }));
    await client.send(
      new SendMessageBatchCommand({ QueueUrl: platform.deployment.physicalId('Jobs'), Entries }),
    );
    await expect.poll(() => gate.waiting.size, patiently).toBe(2);
    // One batch waits until the others are done, so they run one after another.
    const endHeld = await gate.waiting.next();
    for (let left = 4; left > 0; left--) (await gate.waiting.next())();
    endHeld();
    const sizes = () => platform.output.map((text) => Number(asRecord(JSON.parse(text)).size));
    await expect.poll(sizes, patiently).toEqual([2, 2, 2, 2, 2]);
    // A third batch at the same time would have started a third environment.
    expect(platform.meter.snapshot()).toMatchObject({ 'lambda.Worker.coldStarts': 2 });
    await platform.close();
  });

  it('waits for more messages if it has a batching window', async () => {
    const platform = await start({ mapping: { BatchSize: 20, MaximumBatchingWindowInSeconds: 300 } });
    const client = new SQSClient(platform.client);
    const QueueUrl = platform.deployment.physicalId('Jobs');
    const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: String(index), MessageBody: '{}' }));
    for (let round = 0; round < 2; round++)
      await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    await expect.poll(() => platform.output.length, patiently).toBe(1);
    expect(asRecord(JSON.parse(platform.output[0] ?? '')).Records).toHaveLength(20);
    await platform.close();
  });
});

it('a queue without a visibility timeout has one of 30 seconds', async () => {
  const platform = await start({ queue: { VisibilityTimeout: undefined }, lambda: { Timeout: 30 } });
  await platform.close();
});

describe('a mapping that Lambda would not create', () => {
  it.each<[string, Settings]>([
    [
      'Queue visibility timeout: 1 seconds is less than Function timeout: 9 seconds',
      { queue: { VisibilityTimeout: 1 }, lambda: { Timeout: 9 } },
    ],
    [
      'Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds',
      { queue: { VisibilityTimeout: undefined }, lambda: { Timeout: 31 } },
    ],
    [
      'The provided execution role does not have permissions to call DeleteMessage on SQS (Worker)',
      { actions: ['sqs:ReceiveMessage', 'sqs:GetQueueAttributes'] },
    ],
    ['a batch size above 10 needs a batching window of at least 1 second.', { mapping: { BatchSize: 11 } }],
    [
      'the maximum concurrency is 2 to 1000, not 1.',
      { mapping: { ScalingConfig: { MaximumConcurrency: 1 } } },
    ],
    ['its function nobody is not in the template.', { mapping: { FunctionName: 'nobody' } }],
  ])('is refused: %s', async (message, settings) => {
    await expect(start(settings)).rejects.toThrow(`Mapping: ${message}`);
  });
});

describe('a partial response, https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html', () => {
  const record = (messageId: string): EventRecord => ({
    messageId,
    receiptHandle: messageId,
    body: '',
    attributes: {},
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: '',
    awsRegion: '',
  });
  const done = (payload: unknown): readonly string[] =>
    succeeded([record('a'), record('b')], { status: 'ok', payload }, true).map(({ messageId }) => messageId);

  it.each([
    ['an empty list', { batchItemFailures: [] }],
    ['a null list', { batchItemFailures: null }],
    ['a null response', null],
    ['an empty response', {}],
  ])('with %s means success for all messages', (_, payload) => {
    expect(done(payload)).toEqual(['a', 'b']);
  });

  it('deletes the messages that it does not name', () => {
    expect(done({ batchItemFailures: [{ itemIdentifier: 'a' }] })).toEqual(['b']);
  });

  it.each([
    ['an unknown id', { batchItemFailures: [{ itemIdentifier: 'z' }] }],
    ['an empty id', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['a null id', { batchItemFailures: [{ itemIdentifier: null }] }],
    ['another key', { batchItemFailures: [{ id: 'a' }] }],
    ['text', 'fine'],
  ])('with %s means failure for all messages', (_, payload) => {
    expect(done(payload)).toEqual([]);
  });

  it('is ignored if the mapping does not ask for it', () => {
    const payload = { batchItemFailures: [{ itemIdentifier: 'a' }] };
    const ok: Outcome = { status: 'ok', payload };
    expect(succeeded([record('a')], ok, false)).toHaveLength(1);
    expect(succeeded([record('a')], { status: 'throttled' }, false)).toHaveLength(0);
  });
});
