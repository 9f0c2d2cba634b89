import { isRetryable, type NotSent } from './outcome.ts';

export interface RetryOptions {
  /** How often a request is tried again. 0 leaves retries to the caller. */
  readonly retries: number;
  /** Upper end of the first wait; each further one doubles it. */
  readonly retryDelayMs: number;
  /** The same after a 429. */
  readonly throttledDelayMs: number;
  readonly random: () => number;
  readonly now: () => number;
}

export interface Retry {
  readonly delayMs: number;
  /** The cost of the retry, taken from the budget. */
  readonly cost: number;
}

export interface Retries {
  /**
   * The next retry of a request, or `undefined` if there is none.
   * @param made how many retries this request has had.
   * @param retryAfter the header of that name: seconds, or an HTTP date.
   */
  next(outcome: NotSent, made: number, retryAfter: string | undefined): Retry | undefined;
  /** A success pays into the budget: the cost of the retry that led to it, or a little after no retry. */
  succeeded(last: Retry | undefined): void;
}

/** The longest wait, for any number of retries and any `retry-after` (the SDK's own bound). */
const maxDelayMs = 20_000;

/** The SDK's budget: if many requests fail, retries stop before they become the load. */
const budget = { capacity: 500, throttledCost: 5, failedCost: 14, refundWithoutRetry: 1 };

/**
 * The standard retry behaviour of the AWS SDKs (AWS SDKs and Tools Reference Guide, "Retry behavior"): bounded
 * attempts, full jitter, and one budget for all requests.
 */
export function createRetries(options: RetryOptions): Retries {
  const { retries, retryDelayMs, throttledDelayMs, random, now } = options;
  let capacity = budget.capacity;

  return {
    next(outcome, made, retryAfter) {
      const isThrottled = outcome.outcome === 'throttled';
      const cost = isThrottled ? budget.throttledCost : budget.failedCost;
      if (!isRetryable(outcome) || made >= retries || cost > capacity) return undefined;
      capacity -= cost;
      const jitteredMs = random() * (isThrottled ? throttledDelayMs : retryDelayMs) * 2 ** made;
      const delayMs = Math.min(maxDelayMs, Math.max(jitteredMs, retryAfterMs(retryAfter, now)));
      return { delayMs, cost };
    },

    succeeded(last) {
      capacity = Math.min(budget.capacity, capacity + (last?.cost ?? budget.refundWithoutRetry));
    },
  };
}

/** RFC 9110, 10.2.3. An unreadable header asks for nothing. */
function retryAfterMs(header: string | undefined, now: () => number): number {
  if (header === undefined) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now();
  return Number.isNaN(ms) ? 0 : ms;
}
