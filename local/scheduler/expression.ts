import { Cron } from 'croner';
import type { Clock } from '../clock.ts';

/** The times at which something is due, in epoch milliseconds. */
export interface Times {
  readonly isRecurring: boolean;
  /** The first time after this one; `undefined` if there is none. */
  after(epochMs: number): number | undefined;
}

/**
 * Reads `at(…)`, `rate(…)` or `cron(…)`; `undefined` if it is none of them. A rate begins at `rateStartsAt`.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function readTimes(
  expression: string,
  { rateStartsAt, timeZone = 'UTC' }: { readonly rateStartsAt: number; readonly timeZone?: string },
): Times | undefined {
  const [, kind, argument = ''] = /^(at|rate|cron)\(([^()]*)\)$/.exec(expression) ?? [];
  switch (kind) {
    case 'at':
      return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(argument) ? cronTimes(argument, timeZone) : undefined;
    case 'rate': {
      const periodMs = readPeriod(argument);
      return periodMs === undefined ? undefined : rateTimes(rateStartsAt, periodMs);
    }
    case 'cron': {
      const fields = argument.trim().split(/\s+/);
      // "You can't use * in both the Day-of-month and Day-of-week fields": one of them is `?`.
      const isValid = fields.length === 6 && (fields[2] === '?') !== (fields[4] === '?');
      return isValid ? cronTimes(`0 ${fields.join(' ')}`, timeZone) : undefined;
    }
    default:
      return undefined;
  }
}

/** The period of a rate, in milliseconds: `5 minutes`. */
export function readPeriod(text: string): number | undefined {
  const [, count = '', unit = ''] = /^([1-9]\d*) (minute|hour|day)s?$/.exec(text.trim()) ?? [];
  const minutes = { minute: 1, hour: 60, day: 24 * 60 }[unit];
  return minutes === undefined ? undefined : Number(count) * minutes * 60_000;
}

/**
 * Runs a task at each of the times, on the clock of the cloud. A first time may lie `lateByMs` back. The returned function
 * ends it.
 */
export function runAt(
  clock: Clock,
  times: Times,
  task: (dueAt: number) => void,
  onEnd: () => void = () => undefined,
  lateByMs = 0,
): () => void {
  let cancel: () => void = () => undefined;
  let isOver = false;
  plan(times.after(clock.now() - lateByMs - 1));
  return () => {
    isOver = true;
    cancel();
  };

  function plan(dueAt: number | undefined): void {
    if (dueAt === undefined) {
      onEnd();
      return;
    }
    cancel = clock.after(Math.max(0, dueAt - clock.now()), () => {
      task(dueAt);
      if (!isOver) plan(times.after(dueAt));
    });
  }
}

function rateTimes(startsAt: number, periodMs: number): Times {
  return {
    isRecurring: true,
    after: (epochMs) =>
      epochMs < startsAt ? startsAt : startsAt + (Math.floor((epochMs - startsAt) / periodMs) + 1) * periodMs,
  };
}

/** Six fields after the seconds, or one local time. In AWS's cron, Sunday is day 1 of the week, and `0/15` is a range. */
function cronTimes(pattern: string, timezone: string): Times | undefined {
  try {
    const cron = new Cron(pattern, { timezone, paused: true, alternativeWeekdays: true, sloppyRanges: true });
    cron.nextRun(); // An unknown time zone is reported only here.
    return {
      isRecurring: pattern.includes(' '),
      after: (epochMs) => cron.nextRun(new Date(epochMs))?.getTime(),
    };
  } catch (error) {
    // Croner names its errors so. Any other error is a fault of this code.
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
