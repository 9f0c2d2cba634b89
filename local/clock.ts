/**
 * The time of the cloud, which may run faster than real time: at speed 3600, two hours take two seconds. Only limits of
 * the platform use it, such as lifetimes and retries. Functions use the clock of the machine.
 */
export interface Clock {
  /** Epoch milliseconds. They are real as long as the speed has always been 1. */
  now(): number;
  /** Runs `task` once after `ms` of cloud time. The returned function cancels it. */
  after(ms: number, task: () => void): () => void;
  readonly speed: number;
  /** Changes the speed from now on. Pending timers keep their remaining cloud time. */
  setSpeed(speed: number): void;
}

interface Timer {
  readonly dueAt: number;
  readonly task: () => void;
  cancel: () => void;
}

export function createClock(initialSpeed: number): Clock {
  const timers = new Set<Timer>();
  let speed = checked(initialSpeed);
  /** The same moment on both clocks. */
  let moment = { real: Date.now(), cloud: Date.now() };

  function now(): number {
    return Math.round(moment.cloud + (Date.now() - moment.real) * speed);
  }

  function start(timer: Timer): void {
    timer.cancel = afterRealTime((timer.dueAt - now()) / speed, () => {
      timers.delete(timer);
      timer.task();
    });
  }

  return {
    now,
    get speed() {
      return speed;
    },
    after(ms, task) {
      const timer: Timer = { dueAt: now() + ms, task, cancel: () => undefined };
      timers.add(timer);
      start(timer);
      return () => {
        timers.delete(timer);
        timer.cancel();
      };
    },
    setSpeed(next) {
      if (next === speed) return;
      moment = { real: Date.now(), cloud: now() };
      speed = checked(next);
      for (const timer of timers) {
        timer.cancel();
        start(timer);
      }
    },
  };
}

function checked(speed: number): number {
  if (speed > 0) return speed;
  throw new RangeError(`The speed of a clock is a number above 0, not ${String(speed)}.`);
}

/** Node fires a timer of more than 2^31 - 1 ms at once. A longer one is split. */
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
