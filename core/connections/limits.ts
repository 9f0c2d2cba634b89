import { setMaxListeners } from 'node:events';

export interface Limits {
  readonly signal?: AbortSignal | undefined;
  /** Epoch milliseconds. From then on nothing is sent, and no answer is awaited. */
  readonly deadline?: number | undefined;
  /** Whether a 429 is tried again, as other failures are. @default true */
  readonly retriesThrottled?: boolean;
}

/** The reason of a signal that fires because its deadline has passed. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

export interface LimitedSignal {
  readonly signal: AbortSignal | undefined;
  /** Clears the timer and stops listening to the caller's signal. */
  readonly release: () => void;
}

/** One signal for both limits. Without a deadline it is the caller's own signal. */
export function limitBy({ signal, deadline }: Limits, now: () => number): LimitedSignal {
  if (deadline === undefined) return { signal, release: () => undefined };
  const controller = new AbortController();
  // Every post in flight listens to the signal. Node would warn of a leak from the eleventh on.
  setMaxListeners(0, controller.signal);
  const passOn = () => controller.abort(signal?.reason);
  const remainingMs = deadline - now();
  const pass = () => controller.abort(new DeadlinePassed('The deadline has passed.'));
  const timer = remainingMs > 0 ? setTimeout(pass, Math.min(remainingMs, longestTimerMs)) : undefined;
  if (signal?.aborted) passOn();
  else if (timer === undefined) pass();
  else signal?.addEventListener('abort', passOn);
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', passOn);
    },
  };
}

/** A longer timer of Node fires at once. */
const longestTimerMs = 2 ** 31 - 1;
