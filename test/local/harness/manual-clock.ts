import type { Clock } from '../../../local/clock.ts';

export interface ManualClock extends Clock {
  /** Runs every timer that is due within `ms`, in the order of their times. */
  advance(ms: number): void;
}

/** A clock that only the test moves. So tests of hours are exact, whatever the speed of the machine. */
export function manualClock(): ManualClock {
  const timers = new Set<{ readonly dueAt: number; readonly task: () => void }>();
  let time = 0;
  return {
    now: () => time,
    speed: 1,
    after(ms, task) {
      const timer = { dueAt: time + ms, task };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    setSpeed: () => undefined,
    advance(ms) {
      const end = time + ms;
      for (;;) {
        const [next] = [...timers].filter(({ dueAt }) => dueAt <= end).sort((a, b) => a.dueAt - b.dueAt);
        if (!next) break;
        timers.delete(next);
        time = next.dueAt;
        next.task();
      }
      time = end;
    },
  };
}
