import { describe, expect, it } from 'vitest';
import { createRetry } from '../../../core/connections/retry.ts';

const startedAt = Date.parse('2026-11-20T10:00:00Z');

function retryWith(random: () => number, retries = 10) {
  return createRetry({ retries, retryDelayMs: 50, throttledDelayMs: 1_000, random, now: () => startedAt });
}

describe('the wait before a retry', () => {
  it('is anything from nothing to a bound that doubles with each attempt', async () => {
    const values = [0, 0.5, 0.999];
    const retry = retryWith(() => values.shift() ?? 1);
    let token = await retry.acquireInitialRetryToken('');
    const delays: number[] = [];
    for (let at = 0; at < 5; at += 1) {
      token = await retry.refreshRetryTokenForRetry(token, { errorType: 'TRANSIENT' });
      delays.push(token.getRetryDelay());
    }
    expect(delays).toEqual([0, 50, 199.8, 400, 800]);
    expect(token.getRetryCount()).toBe(5);
  });

  it('starts higher after a 429, heeds what the peer asks for, and never exceeds 20 s', async () => {
    const retry = retryWith(() => 0.5);
    const first = await retry.acquireInitialRetryToken('');
    const throttled = await retry.refreshRetryTokenForRetry(first, { errorType: 'THROTTLING' });
    expect(throttled.getRetryDelay()).toBe(500);
    const asked = { errorType: 'THROTTLING', retryAfterHint: new Date(startedAt + 7_000) } as const;
    expect((await retry.refreshRetryTokenForRetry(first, asked)).getRetryDelay()).toBe(7_000);
    const tooLong = { errorType: 'THROTTLING', retryAfterHint: new Date(startedAt + 3_600_000) } as const;
    expect((await retry.refreshRetryTokenForRetry(first, tooLong)).getRetryDelay()).toBe(20_000);
  });
});

describe('retries', () => {
  it('end after as many as were asked for', async () => {
    const retry = retryWith(() => 0, 1);
    const first = await retry.acquireInitialRetryToken('');
    const second = await retry.refreshRetryTokenForRetry(first, { errorType: 'TRANSIENT' });
    await expect(retry.refreshRetryTokenForRetry(second, { errorType: 'TRANSIENT' })).rejects.toThrow(
      'attempts',
    );
  });

  it.each(['CLIENT_ERROR', 'SERVER_ERROR'] as const)('are not made for a %s', async (errorType) => {
    const retry = retryWith(() => 0);
    const first = await retry.acquireInitialRetryToken('');
    await expect(retry.refreshRetryTokenForRetry(first, { errorType })).rejects.toThrow('retryable');
  });

  it('stop where most requests fail, and come back as requests succeed', async () => {
    const retry = retryWith(() => 0);
    const first = await retry.acquireInitialRetryToken('');
    const again = () => retry.refreshRetryTokenForRetry(first, { errorType: 'TRANSIENT' });
    for (let at = 0; at < 35; at += 1) await again();
    await expect(again()).rejects.toThrow('budget');
    for (let at = 0; at < 14; at += 1) retry.recordFirstTimeSuccess();
    const token = await again();
    await expect(again()).rejects.toThrow('budget');
    retry.recordSuccess(token);
    await expect(again()).resolves.toBeDefined();
  });
});
