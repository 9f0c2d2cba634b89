import { type ApiGatewayManagementApiClientConfig } from '@aws-sdk/client-apigatewaymanagementapi';

export interface RetryOptions {
  /** How often a request is tried again. 0 leaves retrying to the caller. */
  readonly retries: number;
  /** Upper end of the first wait; each further one doubles it. */
  readonly retryDelayMs: number;
  /** The same after a 429. */
  readonly throttledDelayMs: number;
  readonly random: () => number;
  readonly now: () => number;
}

type ConfiguredStrategy = NonNullable<ApiGatewayManagementApiClientConfig['retryStrategy']>;
/** The SDK's own interface for what decides on retries. */
type RetryStrategy = Extract<ConfiguredStrategy, { acquireInitialRetryToken: unknown }>;
type RetryToken = Awaited<ReturnType<RetryStrategy['acquireInitialRetryToken']>>;

export type PosterRetry = RetryStrategy & {
  /** Tells of a request that succeeded without the SDK's retry step, so that it pays into the budget as well. */
  recordFirstTimeSuccess(): void;
};

/** No wait is longer, whatever the attempt or the peer's `retry-after` says (the SDK's own bound). */
const maxDelayMs = 20_000;

/** The SDK's budget: where much fails, retries stop before they become the load. */
const budget = { capacity: 500, throttlingCost: 5, transientCost: 14 };

/**
 * The SDK's standard retry behaviour (AWS SDKs and Tools Reference Guide, "Retry behavior"): bounded attempts, full
 * jitter, a budget across requests. Written out because the SDK's takes no source of randomness, and because it would
 * never learn of the successes that do not pass through it, and its budget would only drain.
 */
export function createRetry(options: RetryOptions): PosterRetry {
  let capacity = budget.capacity;
  const costs = new WeakMap<RetryToken, number>();
  const refund = (amount: number) => (capacity = Math.min(budget.capacity, capacity + amount));

  return {
    acquireInitialRetryToken: () => Promise.resolve(token(0, 0)),

    refreshRetryTokenForRetry(previous, { errorType, retryAfterHint }) {
      const isThrottling = errorType === 'THROTTLING';
      const cost = isThrottling ? budget.throttlingCost : budget.transientCost;
      const count = previous.getRetryCount();
      // The SDK catches this and throws the error of the last attempt instead.
      if (!isThrottling && errorType !== 'TRANSIENT') return Promise.reject(new Error('Not retryable.'));
      if (count >= options.retries) return Promise.reject(new Error('No attempts left.'));
      if (cost > capacity) return Promise.reject(new Error('No retry budget left.'));
      capacity -= cost;
      const jittered =
        options.random() * (isThrottling ? options.throttledDelayMs : options.retryDelayMs) * 2 ** count;
      const asked = retryAfterHint ? retryAfterHint.getTime() - options.now() : 0;
      const next = token(count + 1, Math.min(maxDelayMs, Math.max(jittered, asked)));
      costs.set(next, cost);
      return Promise.resolve(next);
    },

    recordSuccess: (used) => void refund(costs.get(used) ?? 1),
    recordFirstTimeSuccess: () => void refund(1),
  };
}

function token(count: number, delayMs: number): RetryToken {
  return { getRetryCount: () => count, getRetryDelay: () => delayMs };
}
