/**
 * The time of the cloud, which may run faster than the time outside: at 3600, two hours take two seconds.
 * Functions keep the machine's own clock; only the platform's limits (lifetimes, retries) run on this one.
 */
export interface Clock {
  /** Epoch milliseconds; real ones at speed 1. */
  now(): number;
  /** Runs `task` once after `ms` of cloud time; the answer cancels it. */
  after(ms: number, task: () => void): () => void;
}

export function createClock(speed: number): Clock {
  if (!(speed > 0)) throw new RangeError(`The speed of a clock is a number above 0, not ${String(speed)}.`);
  const startedAt = Date.now();
  return {
    now: () => (speed === 1 ? Date.now() : Math.round(startedAt + (Date.now() - startedAt) * speed)),
    after: (ms, task) => afterRealTime(ms / speed, task),
  };
}

/** Node fires a timer of more than 2^31 - 1 ms at once, so a longer one is made of several. */
const longestTimerMs = 2_147_483_647;

function afterRealTime(ms: number, task: () => void): () => void {
  let timer = start(ms);
  return () => {
    clearTimeout(timer);
  };

  function start(remainingMs: number): NodeJS.Timeout {
    if (remainingMs <= longestTimerMs) return setTimeout(task, remainingMs);
    return setTimeout(() => {
      timer = start(remainingMs - longestTimerMs);
    }, longestTimerMs);
  }
}
