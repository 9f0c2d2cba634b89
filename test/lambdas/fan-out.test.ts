import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { shardOf } from '../../core/sessions/items.ts';
import { clientOf, connectEvent, queueEvent } from './events.ts';
import { useCloud } from './functions-under-test.ts';

const cloud = useCloud();
const context = { getRemainingTimeInMillis: () => 29_000 };
const job = {
  tenant: 'default',
  messageId: '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11',
  to: ['everyone'],
  exclude: [],
  frame: '{"type":"x"}',
  reportsRecipients: false,
  shard: 0,
};

// Only the function's own waits move the clock, so the results do not depend on the machine's speed.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.doMock('node:timers/promises', () => ({
    setTimeout(ms: number) {
      vi.setSystemTime(Date.now() + ms);
      return Promise.resolve();
    },
  }));
});
afterEach(() => {
  vi.doUnmock('node:timers/promises');
  vi.useRealTimers();
});

describe('a worker of the fan-out', () => {
  it.each([50, 200])('sends %i posts in a second, as FAN_OUT_RATE says', async (rate) => {
    vi.stubEnv('FAN_OUT_RATE', String(rate));
    const { work, ids } = await load(41);
    const before = Date.now();
    expect(await work(queueEvent(JSON.stringify(job)), context)).toEqual({ batchItemFailures: [] });
    const tookSeconds = (Date.now() - before) / 1000;

    expect(posted().sort()).toEqual(ids);
    // A tenth of a second's posts may go at once; the others follow at the rate, each after a wait of whole milliseconds.
    expect(tookSeconds).toBeGreaterThanOrEqual((ids.length - 1) / rate - 0.1);
    expect(tookSeconds).toBeLessThanOrEqual((ids.length * 1.1) / rate);
  });

  it('retries a throttled post at its own rate, and lets the connections client retry nothing', async () => {
    const { work, ids } = await load(1);
    const [id = ''] = ids;
    cloud.current().callbackApi.statuses.set(id, 429);
    expect(await work(queueEvent(JSON.stringify(job)), context)).toEqual({ batchItemFailures: [] });
    expect(posted()).toEqual([id, id, id, id, id]);
  });

  it.each([
    { attempt: 2, seconds: 2 },
    { attempt: 5, seconds: 0 },
  ])(
    'returns a job that fails attempt $attempt to the queue, for $seconds s',
    async ({ attempt, seconds }) => {
      const { work, sqs } = await load(0);
      const { messageId = '' } = queueEvent('').Records[0] ?? {};
      expect(await work(queueEvent('{}', attempt), context)).toEqual({
        batchItemFailures: [{ itemIdentifier: messageId }],
      });
      const calls = sqs.commandCalls(ChangeMessageVisibilityCommand).map(({ args }) => args[0].input);
      expect(calls).toMatchObject([{ VisibilityTimeout: seconds }]);
    },
  );
});

function posted(): string[] {
  return cloud.current().callbackApi.calls.map(({ connectionId }) => connectionId);
}

/** The function, and so many sessions in the job's shard. */
async function load(count: number) {
  const sqs = mockClient(SQSClient);
  sqs.on(ChangeMessageVisibilityCommand).resolves({});
  const { handler: connect } = await import('../../lambdas/connect.ts');
  const { handler: work } = await import('../../lambdas/fan-out.ts');
  const all = Array.from({ length: 10 * count }, (_, index) => `c${String(index).padStart(4, '0')}`);
  const ids = all.filter((id) => shardOf(id, 2) === 0).slice(0, count);
  await Promise.all(ids.map((id) => connect(connectEvent(clientOf(id)))));
  return { work, ids, sqs };
}
