import type { Clock } from './clock.ts';

export interface Backoff {
  /** The delay before the next attempt; each call counts as one. `isSlow`: about the longest. */
  readonly nextMs: (isSlow: boolean) => number;
  readonly reset: () => void;
}

const baseMs = 500;
const maxMs = 30_000;

/**
 * Exponential backoff with full jitter: clients that lost one server together do not come back together (AWS
 * Architecture Blog, "Exponential Backoff And Jitter"), and API Gateway takes 500 new connections a second per account.
 */
export function createBackoff(clock: Clock): Backoff {
  let attempt = 0;
  return {
    nextMs(isSlow) {
      const ceilingMs = Math.min(maxMs, baseMs * 2 ** attempt++);
      return isSlow ? (maxMs * (1 + clock.random())) / 2 : ceilingMs * clock.random();
    },
    reset() {
      attempt = 0;
    },
  };
}
