import { describe, expect, it } from 'vitest';
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
