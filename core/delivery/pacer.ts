import type { Clock } from '../clock.ts';

/** Resolves when the next request may go; `undefined`: at once. */
export type Pacer = () => Promise<void> | undefined;

/** Unused capacity carries over for at most 100 ms, so a checkpoint does not cost throughput. */
const windowMs = 100;

/** A token bucket: at most `rate` requests per second, and no burst beyond the window. */
export function createPacer(rate: number, { now, wait }: Pick<Clock, 'now' | 'wait'>): Pacer {
  const capacity = Math.max(1, (rate * windowMs) / 1000);
  let tokens = capacity;
  let filledAt = now();

  function take(): boolean {
    tokens = Math.min(capacity, tokens + ((now() - filledAt) * rate) / 1000);
    filledAt = now();
    // A wait for one whole token may fall short of it by a rounding error.
    if (tokens < 1 - 1e-6) return false;
    tokens -= 1;
    return true;
  }

  async function takeLater(): Promise<void> {
    do await wait(Math.max(1, ((1 - tokens) * 1000) / rate));
    while (!take());
  }

  return () => (take() ? undefined : takeLater());
}
