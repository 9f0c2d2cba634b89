/** Time and chance, passed in so that a test can stop the one and choose the other. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** From 0 up to 1, without 1. */
  random(): number;
  /** Runs once, later; the function it returns cancels that. */
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

/** A timer that is set anew or stopped, and is set once at most. */
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
