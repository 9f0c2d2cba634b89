import { describe, expect, it } from 'vitest';
import { asRecord } from '../../../../local/json.ts';
import {
  batchesOf,
  destination,
  failure,
  patiently,
  put,
  reader,
  start,
  window,
} from './stream-under-test.ts';

describe('a batch that fails', () => {
  const sped = { clockSpeed: 20 };
  const failing = (key: number): string =>
    reader(`if (keys.includes(${String(key)})) throw new Error('no');`);

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
