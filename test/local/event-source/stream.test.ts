import { BatchWriteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import type { StreamRecord } from '../../../local/dynamodb/stream.ts';
import { asRecord } from '../../../local/json.ts';
import { writeAssembly } from '../harness/assembly.ts';
import { type Platform, startPlatform } from '../harness/platform.ts';
import { itemsTable, readActions, streamReader } from '../harness/table-template.ts';

const patiently = { timeout: 20_000 };
const destination = {
  DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['Failures', 'Arn'] } } },
};
/** Time for all puts of a test to get into one batch. The window ends as soon as the batch is full. */
const window = { MaximumBatchingWindowInSeconds: 300 };

type Options = Parameters<typeof streamReader>[0];

function template(options: Options = {}): object {
  return { Resources: { ...itemsTable(), ...streamReader(options) } };
}

function start(options: Options = {}, platform: Parameters<typeof startPlatform>[1] = {}): Promise<Platform> {
  return startPlatform(writeAssembly(template(options)), platform);
}

/** A handler that prints the sort keys of its batch as one line, then runs `body` with `Records` and `keys`. */
function reader(body = ''): string {
  return `exports.handler = async ({ Records }) => {
    const keys = Records.map(({ dynamodb }) => Number(dynamodb.Keys.sk.N));
    const numberOf = (key) => Records.find(({ dynamodb }) => dynamodb.Keys.sk.N === String(key))?.dynamodb.SequenceNumber;
    process.stdout.write(JSON.stringify(keys) + '\\n');
    ${body}
  }`;
}

const failing = (key: number): string => reader(`if (keys.includes(${String(key)})) throw new Error('no');`);

/** The batches that the function has got, as lists of sort keys. */
function batchesOf(platform: Platform): readonly (readonly number[])[] {
  const lines = platform.output.flatMap((text) => text.trim().split('\n'));
  // Lambda logs the stack of an error too.
  return lines.filter((line) => line.startsWith('[')).map((line) => JSON.parse(line) as number[]);
}

async function put(
  platform: Platform,
  keys: readonly number[],
  attributes: Record<string, { S: string }> = {},
) {
  const client = new DynamoDBClient(platform.client);
  const TableName = platform.deployment.physicalId('Items');
  for (const key of keys) {
    const Item = { pk: { S: 'a' }, sk: { N: String(key) }, ...attributes };
    await client.send(new PutItemCommand({ TableName, Item }));
  }
}

/** Waits for a message at the on-failure destination. */
async function failure(platform: Platform): Promise<unknown> {
  const client = new SQSClient(platform.client);
  const QueueUrl = platform.deployment.physicalId('Failures');
  for (;;) {
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
    const [message] = Messages;
    if (message?.Body === undefined) continue;
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    return JSON.parse(message.Body) as unknown;
  }
}

describe('an event source mapping of a stream', () => {
  it('gives records to the function in batches of the batch size', async () => {
    const platform = await start({ code: reader(), mapping: { BatchSize: 2, ...window } });
    await put(platform, [1, 2, 3, 4]);
    await expect
      .poll(() => batchesOf(platform), patiently)
      .toEqual([
        [1, 2],
        [3, 4],
      ]);
    expect(platform.meter.snapshot()).toMatchObject({ 'lambda.Reader.invocations': 2 });
    await platform.close();
  });

  it('waits for its batching window, in time of the cloud', async () => {
    const platform = await start(
      { code: reader(), mapping: { BatchSize: 100, ...window } },
      { clockSpeed: 100 },
    );
    await put(platform, [1, 2, 3]);
    await expect.poll(() => batchesOf(platform), patiently).toEqual([[1, 2, 3]]);
    await platform.close();
  });

  it('invokes no function for records that its filters leave out', async () => {
    const filters = [
      { eventName: ['INSERT'], dynamodb: { NewImage: { kind: { S: [{ prefix: 'good' }] } } } },
      { dynamodb: { Keys: { sk: { N: ['0'] } } } },
    ];
    const Filters = filters.map((filter) => ({ Pattern: JSON.stringify(filter) }));
    const platform = await start({ code: reader(), mapping: { FilterCriteria: { Filters } } });
    await put(platform, [1], { kind: { S: 'bad' } });
    await put(platform, [1], { kind: { S: 'good, but no insert' } });
    await put(platform, [2], { kind: { S: 'good' } });
    await put(platform, [0]);
    await expect.poll(() => batchesOf(platform).flat(), patiently).toEqual([2, 0]);
    await platform.close();
  });

  it('runs one batch for each lane at the same time, and keeps the order of each item', async () => {
    // One write puts a record into each lane at the same time.
    const code = `const { setTimeout } = require('node:timers/promises');
      exports.handler = async ({ Records }) => {
        const versions = Records.map(({ dynamodb }) => [dynamodb.Keys.sk.N, dynamodb.NewImage.version.S]);
        process.stdout.write(JSON.stringify({ start: versions }) + '\\n');
        await setTimeout(50);
        process.stdout.write(JSON.stringify({ end: versions }) + '\\n');
      }`;
    const platform = await start({ code, mapping: { ParallelizationFactor: 4, BatchSize: 1 } });
    const client = new DynamoDBClient(platform.client);
    const items = [1, 2, 3, 4, 5, 6];
    const versions = ['a', 'b', 'c'];
    for (const S of versions) {
      const requests = items.map((item) => ({
        PutRequest: { Item: { pk: { S: 'a' }, sk: { N: String(item) }, version: { S } } },
      }));
      const RequestItems = { [platform.deployment.physicalId('Items')]: requests };
      await client.send(new BatchWriteItemCommand({ RequestItems }));
    }
    const lines = () =>
      platform.output.flatMap((text) => text.trim().split('\n')).map((line) => asRecord(JSON.parse(line)));
    const seen = () => lines().flatMap(({ end }) => (end ?? []) as [string, string][]);
    await expect.poll(() => seen().length, patiently).toBe(18);
    for (const item of items) {
      const own = seen().filter(([key]) => key === String(item));
      expect(own.map(([, version]) => version)).toEqual(versions);
    }
    const running = lines().map(({ start }) => (start === undefined ? -1 : 1));
    const most = Math.max(...running.map((_, at) => running.slice(0, at + 1).reduce((a, b) => a + b, 0)));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    await platform.close();
  });

  it('gives a batch to the function once more, if a fault says so', async () => {
    const platform = await start({ code: reader() }, { faults: { duplicateDelivery: 1 } });
    await put(platform, [1]);
    await expect.poll(() => batchesOf(platform), patiently).toEqual([[1], [1]]);
    await platform.close();
  });

  it('gives nothing to the function if it is disabled', async () => {
    const disabled = await start({ code: reader(), mapping: { Enabled: false } });
    await put(disabled, [1]);
    await disabled.close();
    expect(disabled.meter.snapshot()).not.toHaveProperty('lambda.Reader.invocations');
  });
});

describe('a batch that fails', () => {
  const sped = { clockSpeed: 20 };

  it('is retried before the records after it', async () => {
    const code = reader('if (!globalThis.failed) { globalThis.failed = true; throw new Error("no"); }');
    const platform = await start({ code, mapping: { BatchSize: 2, ...window } });
    await put(platform, [1, 2, 3, 4]);
    await expect
      .poll(() => batchesOf(platform), patiently)
      .toEqual([
        [1, 2],
        [1, 2],
        [3, 4],
      ]);
    await platform.close();
  });

  it('ends at the destination when its retries are used up, and the next batch follows', async () => {
    const mapping = { BatchSize: 2, ...window, MaximumRetryAttempts: 2, ...destination };
    const platform = await start({ code: failing(1), mapping }, sped);
    await put(platform, [1, 2, 3, 4]);
    const stream = platform.deployment.attribute('Items', 'StreamArn');
    const text = (pattern: RegExp) => expect.stringMatching(pattern) as string;
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
    // https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    expect(await failure(platform)).toEqual({
      requestContext: {
        requestId: text(/^[\da-f-]{36}$/),
        functionArn: platform.deployment.attribute('Reader', 'Arn'),
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 3,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: text(/^\d{4}-.*\.\d{3}Z$/),
      DDBStreamBatchInfo: {
        shardId: text(/^shardId-\d{20}-\w{8}$/),
        startSequenceNumber: text(/01$/),
        endSequenceNumber: text(/02$/),
        approximateArrivalOfFirstRecord: text(time),
        approximateArrivalOfLastRecord: text(time),
        batchSize: 2,
        streamArn: stream,
      },
    });
    await expect
      .poll(() => batchesOf(platform), patiently)
      .toEqual([
        [1, 2],
        [1, 2],
        [1, 2],
        [3, 4],
      ]);
    await platform.close();
  });

  it('is split in two until the bad record is alone, which costs no retry', async () => {
    const mapping = {
      BatchSize: 4,
      ...window,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 0,
      ...destination,
    };
    const platform = await start({ code: failing(3), mapping }, sped);
    await put(platform, [1, 2, 3, 4]);
    expect(await failure(platform)).toMatchObject({ DDBStreamBatchInfo: { batchSize: 1 } });
    await expect.poll(() => batchesOf(platform), patiently).toEqual([[1, 2, 3, 4], [1, 2], [3, 4], [3], [4]]);
    await platform.close();
  });

  it('is given up when its records are too old, in time of the cloud', async () => {
    const mapping = { MaximumRecordAgeInSeconds: 60, ...destination };
    const platform = await start({ code: failing(1), mapping }, { clockSpeed: 100 });
    await put(platform, [1]);
    expect(await failure(platform)).toMatchObject({
      requestContext: { condition: 'RecordAgeExceeded' },
      DDBStreamBatchInfo: { batchSize: 1 },
    });
    await platform.close();
  });

  it('uses up no retry while the function is throttled', async () => {
    const mapping = { MaximumRecordAgeInSeconds: 60, MaximumRetryAttempts: 0, ...destination };
    const lambda = { ReservedConcurrentExecutions: 0 };
    const platform = await start({ code: reader(), mapping, lambda }, { clockSpeed: 100 });
    await put(platform, [1]);
    const document = asRecord(await failure(platform));
    expect(document).toMatchObject({ requestContext: { condition: 'RecordAgeExceeded' } });
    // The function has never run, so it has no response.
    expect(document).not.toHaveProperty('responseContext');
    expect(platform.output).toEqual([]);
    await platform.close();
  });
});

describe('a partial response', () => {
  const reports = { FunctionResponseTypes: ['ReportBatchItemFailures'], MaximumRetryAttempts: 1 };
  const batch = { BatchSize: 4, ...window, ...destination };
  const report = (ids: string): string =>
    reader(`return { batchItemFailures: ${ids}.map((itemIdentifier) => ({ itemIdentifier })) };`);

  it.each<[string, string, object, readonly (readonly number[])[]]>([
    [
      'the lowest of its sequence numbers',
      '[numberOf(4), numberOf(3)]',
      {},
      [
        [1, 2, 3, 4],
        [3, 4],
      ],
    ],
    [
      'the first record if an id is unknown',
      '["7", numberOf(3)]',
      {},
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
    ],
    [
      'the first record if an id is empty',
      '[""]',
      {},
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
    ],
    [
      'the first record if an id is null',
      '[null]',
      {},
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
    ],
  ])('is retried from %s', async (_, ids, settings, expected) => {
    const platform = await start({ code: report(ids), mapping: { ...batch, ...reports, ...settings } });
    await put(platform, [1, 2, 3, 4]);
    expect(await failure(platform)).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
      responseContext: { statusCode: 200 },
      DDBStreamBatchInfo: { batchSize: expected.at(-1)?.length },
    });
    expect(batchesOf(platform)).toEqual(expected);
    await platform.close();
  });

  it('splits the batch at the reported record, if the mapping splits, which costs no retry', async () => {
    // The function reports 3 as long as it gets it. The first split is at 3, and the second one halves the rest.
    const code = report('(keys.includes(3) ? [numberOf(3)] : [])');
    const settings = { ...reports, MaximumRetryAttempts: 0, BisectBatchOnFunctionError: true };
    const platform = await start({ code, mapping: { ...batch, ...settings } });
    await put(platform, [1, 2, 3, 4]);
    expect(await failure(platform)).toMatchObject({ DDBStreamBatchInfo: { batchSize: 1 } });
    await expect.poll(() => batchesOf(platform), patiently).toEqual([[1, 2, 3, 4], [3, 4], [3], [4]]);
    await platform.close();
  });

  it('splits off the last record too', async () => {
    const code = report('(keys.length > 1 ? [numberOf(4)] : [])');
    const settings = { ...reports, MaximumRetryAttempts: 0, BisectBatchOnFunctionError: true };
    const platform = await start({ code, mapping: { ...batch, ...settings } });
    await put(platform, [1, 2, 3, 4]);
    await expect.poll(() => batchesOf(platform), patiently).toEqual([[1, 2, 3, 4], [4]]);
    await platform.close();
  });

  it('without failures ends the batch', async () => {
    const platform = await start({ code: report('[]'), mapping: { ...batch, ...reports, BatchSize: 1 } });
    await put(platform, [1, 2]);
    await expect.poll(() => batchesOf(platform), patiently).toEqual([[1], [2]]);
    await platform.close();
  });
});

describe('a mapping of a stream that cannot run', () => {
  const without = (action: string) => readActions.filter((each) => each !== `dynamodb:${action}`);
  const cannotAccess = 'GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.';

  it.each<[string, Options]>([
    [`${cannotAccess} dynamodb:GetRecords is missing.`, { actions: without('GetRecords') }],
    [`${cannotAccess} dynamodb:GetShardIterator is missing.`, { actions: without('GetShardIterator') }],
    [`${cannotAccess} dynamodb:DescribeStream is missing.`, { actions: without('DescribeStream') }],
    [`${cannotAccess} dynamodb:ListStreams is missing.`, { actions: without('ListStreams') }],
    ['TumblingWindowInSeconds of a stream cannot run here.', { mapping: { TumblingWindowInSeconds: 60 } }],
    [
      'StartingPosition is TRIM_HORIZON or LATEST, not AT_TIMESTAMP.',
      { mapping: { StartingPosition: 'AT_TIMESTAMP' } },
    ],
    [
      'StartingPosition is TRIM_HORIZON or LATEST, not undefined.',
      { mapping: { StartingPosition: undefined } },
    ],
    ['BatchSize is 1 to 10000, not 10001.', { mapping: { BatchSize: 10_001 } }],
    [
      'MaximumBatchingWindowInSeconds is 0 to 300, not 301.',
      { mapping: { MaximumBatchingWindowInSeconds: 301 } },
    ],
    ['ParallelizationFactor is 1 to 10, not 11.', { mapping: { ParallelizationFactor: 11 } }],
    ['MaximumRetryAttempts is -1 to 10000, not many.', { mapping: { MaximumRetryAttempts: 'many' } }],
    [
      'MaximumRecordAgeInSeconds is -1 or at least 60, not 59.',
      { mapping: { MaximumRecordAgeInSeconds: 59 } },
    ],
    ['its filter { is not JSON.', { mapping: { FilterCriteria: { Filters: [{ Pattern: '{' }] } } }],
    [
      "The event pattern's eventName is an object or a list.",
      { mapping: { FilterCriteria: { Filters: [{ Pattern: '{"eventName":"INSERT"}' }] } } },
    ],
    [
      'its on-failure destination arn:aws:sns:us-east-1:1:topic is not a queue of the template.',
      { mapping: { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sns:us-east-1:1:topic' } } } },
    ],
    [
      'its event source arn:nothing is neither a queue nor a stream of the template.',
      { mapping: { EventSourceArn: 'arn:nothing' } },
    ],
    ['its function nobody is not in the template.', { mapping: { FunctionName: 'nobody' } }],
  ])('is refused: %s', async (message, options) => {
    const started = start(options);
    await expect(started).rejects.toThrow('Mapping: ');
    await expect(started).rejects.toThrow(message);
  });

  it('is refused if its role may not send to the destination', async () => {
    const { Failures, ...resources } = streamReader({ mapping: { ...destination } });
    const Other = { Type: 'AWS::SQS::Queue', Properties: {} };
    const elsewhere = { OnFailure: { Destination: { 'Fn::GetAtt': ['Other', 'Arn'] } } };
    const mapping = asRecord(resources.Mapping);
    const Mapping = {
      ...mapping,
      Properties: { ...asRecord(mapping.Properties), DestinationConfig: elsewhere },
    };
    const Resources = { ...itemsTable(), ...resources, Failures, Other, Mapping };
    await expect(startPlatform(writeAssembly({ Resources }))).rejects.toThrow(
      /^Mapping: The function's execution role does not have permissions to call SendMessage on arn:aws:sqs:.*Other/,
    );
  });
});

it('a record is what the function gets, unchanged', async () => {
  const platform = await start();
  await put(platform, [1]);
  await expect.poll(() => platform.output.length, patiently).toBe(1);
  const { Records } = JSON.parse(platform.output[0] ?? '') as { Records: StreamRecord[] };
  expect(Records).toMatchObject([{ eventName: 'INSERT', dynamodb: { NewImage: { sk: { N: '1' } } } }]);
  await platform.close();
});
