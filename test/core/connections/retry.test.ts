import { describe, expect, it } from 'vitest';
import type { Failed, NotSent, Throttled } from '../../../core/connections/outcome.ts';
import { createRetries } from '../../../core/connections/retry.ts';

const startedAt = Date.parse('2026-11-20T10:00:00Z');
const throttled: Throttled = { outcome: 'throttled', requestId: undefined };
const failed: Failed = {
  outcome: 'failed',
  reason: 'service_error',
  isRetryable: true,
  requestId: undefined,
  cause: undefined,
};

function retriesWith(random: () => number, retries = 10) {
  return createRetries({ retries, retryDelayMs: 50, throttledDelayMs: 1_000, random, now: () => startedAt });
}

describe('the wait before a retry', () => {
  it('is random, up to a bound that doubles with each retry', () => {
    const values = [0, 0.5, 0.999];
    const retries = retriesWith(() => values.shift() ?? 1);
    const delays = [0, 1, 2, 3, 4].map((made) => retries.next(failed, made, undefined)?.delayMs);
    expect(delays).toEqual([0, 50, 199.8, 400, 800]);
  });

  it('is longer after a 429', () => {
    expect(retriesWith(() => 0.5).next(throttled, 0, undefined)?.delayMs).toBe(500);
  });

  it.each([
    ['seconds', '7', 7_000],
    ['a date', 'Fri, 20 Nov 2026 10:00:07 GMT', 7_000],
    ['less than the random wait', '0', 500],
    ['a date in the past', 'Fri, 20 Nov 2026 09:00:00 GMT', 500],
    ['nonsense', 'soon', 500],
    ['an hour, more than a retry ever waits', '3600', 20_000],
  ])('heeds a retry-after of %s', (_, retryAfter, delayMs) => {
    expect(retriesWith(() => 0.5).next(throttled, 0, retryAfter)?.delayMs).toBe(delayMs);
  });

  it('never exceeds 20 seconds', () => {
    expect(retriesWith(() => 0.999).next(throttled, 9, undefined)?.delayMs).toBe(20_000);
  });
});

describe('retries', () => {
  it('end after the number that the option allows', () => {
    const retries = retriesWith(() => 0, 1);
    expect(retries.next(failed, 0, undefined)).toBeDefined();
    expect(retries.next(failed, 1, undefined)).toBeUndefined();
  });

  it.each<NotSent>([
    { outcome: 'gone' },
    { outcome: 'too_large', requestId: undefined },
    { ...failed, isRetryable: false },
  ])('are not made for $outcome, which would only repeat', (outcome) => {
    expect(retriesWith(() => 0).next(outcome, 0, undefined)).toBeUndefined();
  });

  it('stop if most requests fail, and resume as requests succeed', () => {
    const retries = retriesWith(() => 0);
    const next = () => retries.next(failed, 0, undefined);
    for (let at = 0; at < 35; at += 1) expect(next()).toBeDefined();
    expect(next()).toBeUndefined();
    for (let at = 0; at < 13; at += 1) retries.succeeded(undefined);
    // 35 retries at 14 leave 10 of 500. 13 successes raise that to 23: enough for one retry, not for two.
    const last = next();
    expect(last).toBeDefined();
    expect(next()).toBeUndefined();
    retries.succeeded(last);
    expect(next()).toBeDefined();
  });

  it('cost less after a 429', () => {
    const retries = retriesWith(() => 0);
    for (let at = 0; at < 100; at += 1) expect(retries.next(throttled, 0, undefined)).toBeDefined();
    expect(retries.next(throttled, 0, undefined)).toBeUndefined();
  });
});
