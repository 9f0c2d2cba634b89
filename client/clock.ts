/** Time and randomness, passed in so that a test can control both. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** At least 0 and below 1. */
  random(): number;
  /** Calls `run` once, after the delay. The returned function cancels the call. */
  after(ms: number, run: () => void): () => void;
}

// A longer delay overflows and fires at once (HTML standard, timers; Node documents the same).
const maxDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, maxDelayMs));
    return () => clearTimeout(timer);
  },
};

/** One timer. Setting it again replaces the earlier setting. */
export interface Alarm {
  readonly set: (ms: number, run: () => void) => void;
  readonly stop: () => void;
}

export function createAlarm(clock: Clock): Alarm {
  let cancel: (() => void) | undefined;
  const stop = () => {
    cancel?.();
    cancel = undefined;
  };
  return {
    stop,
    set(ms, run) {
      stop();
      cancel = clock.after(ms, () => {
        cancel = undefined;
        run();
      });
    },
  };
}
