import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import type { StreamRecord } from '../../../../local/dynamodb/stream.ts';
import { startGate, waitAt } from '../../harness/gate.ts';
import { batchesOf, patiently, put, reader, start, window } from './stream-under-test.ts';

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
    const gate = await startGate();
    const code = `exports.handler = async ({ Records: [{ dynamodb }] }) => {
        ${waitAt(gate)}
        process.stdout.write(JSON.stringify([dynamodb.Keys.sk.N, dynamodb.NewImage.version.S]) + '\\n');
      }`;
    const mapping = { ParallelizationFactor: 4, BatchSize: 1 };
    const platform = await start({ code, mapping, lambda: { Timeout: 60 } });
    const client = new DynamoDBClient(platform.client);
    // Two items for each lane, so each lane gets six records.
    const items = [1, 2, 3, 4, 5, 7, 8, 12];
    const versions = ['a', 'b', 'c'];
    for (const S of versions) {
      const requests = items.map((item) => ({
        PutRequest: { Item: { pk: { S: 'a' }, sk: { N: String(item) }, version: { S } } },
      }));
      const RequestItems = { [platform.deployment.physicalId('Items')]: requests };
      await client.send(new BatchWriteItemCommand({ RequestItems }));
    }
    await expect.poll(() => gate.waiting.size, patiently).toBe(4);
    // The batch of one lane waits until the other lanes are done. Its lane starts no other batch meanwhile.
    const endHeld = await gate.waiting.next();
    for (let left = 18; left > 0; left--) (await gate.waiting.next())();
    expect(platform.meter.snapshot()).toMatchObject({ 'lambda.Reader.invocations': 19 });
    endHeld();
    for (let left = 5; left > 0; left--) (await gate.waiting.next())();

    const lines = () => platform.output.flatMap((text) => text.trim().split('\n'));
    await expect.poll(() => lines().length, patiently).toBe(24);
    const seen = lines().map((line) => JSON.parse(line) as [string, string]);
    for (const item of items) {
      const own = seen.filter(([key]) => key === String(item));
      expect(own.map(([, version]) => version)).toEqual(versions);
    }
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

it('a record is what the function gets, unchanged', async () => {
  const platform = await start();
  await put(platform, [1]);
  await expect.poll(() => platform.output.length, patiently).toBe(1);
  const { Records } = JSON.parse(platform.output[0] ?? '') as { Records: StreamRecord[] };
  expect(Records).toMatchObject([{ eventName: 'INSERT', dynamodb: { NewImage: { sk: { N: '1' } } } }]);
  await platform.close();
});
