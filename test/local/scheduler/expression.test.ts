import { describe, expect, it } from 'vitest';
import { readTimes, runAt } from '../../../local/scheduler/expression.ts';
import { manualClock } from '../harness/manual-clock.ts';

const from = Date.parse('2026-01-01T00:00:00Z');

function next(expression: string, timeZone = 'UTC', count = 2): readonly string[] | undefined {
  const times = readTimes(expression, { rateStartsAt: from, timeZone });
  if (times === undefined) return undefined;
  const found: string[] = [];
  for (let at = times.after(from); at !== undefined && found.length < count; at = times.after(at)) {
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

describe('a schedule expression', () => {
  it.each([
    ['rate(5 minutes)', ['2026-01-01T00:05', '2026-01-01T00:10']],
    ['rate(1 hour)', ['2026-01-01T01:00', '2026-01-01T02:00']],
    ['rate(2 days)', ['2026-01-03T00:00', '2026-01-05T00:00']],
    ['at(2026-02-03T04:05:06)', ['2026-02-03T04:05']],
    ['at(2025-02-03T04:05:06)', []],
    ['cron(0 12 * * ? *)', ['2026-01-01T12:00', '2026-01-02T12:00']],
    // Sunday is 1, so 2-6 are the working days. 2026-01-01 is a Thursday.
    ['cron(0 9 ? * 2-6 *)', ['2026-01-01T09:00', '2026-01-02T09:00']],
    ['cron(0 9 ? * 1 *)', ['2026-01-04T09:00', '2026-01-11T09:00']],
    ['cron(0 9 ? * SUN *)', ['2026-01-04T09:00', '2026-01-11T09:00']],
    ['cron(0/30 8 1 * ? *)', ['2026-01-01T08:00', '2026-01-01T08:30']],
    ['cron(0 8 L * ? *)', ['2026-01-31T08:00', '2026-02-28T08:00']],
    ['cron(0 8 3W * ? *)', ['2026-01-02T08:00', '2026-02-03T08:00']],
    ['cron(0 8 ? * 6#2 *)', ['2026-01-09T08:00', '2026-02-13T08:00']],
    ['cron(0 8 1 1 ? 2030-2031)', ['2030-01-01T08:00', '2031-01-01T08:00']],
    ['cron(0 8 1 1 ? 2020)', []],
  ])('%s', (expression, expected) => {
    expect(next(expression)).toEqual(expected);
  });

  it('follows a time zone and its daylight saving time', () => {
    expect(next('cron(0 9 ? * * *)', 'Europe/Berlin', 1)).toEqual(['2026-01-01T08:00']);
    expect(next('at(2026-07-01T09:00:00)', 'Europe/Berlin')).toEqual(['2026-07-01T07:00']);
  });

  it.each([
    'rate(0 minutes)',
    'rate(1 second)',
    'at(tomorrow)',
    'at(2026-02-03T04:05:06Z)',
    'cron(0 12 * * * *)',
    'cron(0 12 ? * ? *)',
    'cron(0 12 * *)',
    'cron(61 12 * * ? *)',
    'every day',
  ])('that is none is refused: %s', (expression) => {
    expect(next(expression)).toBeUndefined();
  });

  it('with an unknown time zone is refused', () => {
    expect(next('cron(0 9 ? * * *)', 'Mars/Olympus')).toBeUndefined();
  });
});

it('a task runs at each time until it is cancelled', () => {
  const clock = manualClock();
  const times = readTimes('rate(1 minute)', { rateStartsAt: 60_000 });
  const ran: number[] = [];
  const cancel = times && runAt(clock, times, (at) => ran.push(at / 60_000));
  clock.advance(59_999);
  expect(ran).toEqual([]);
  clock.advance(2 * 60_000);
  expect(ran).toEqual([1, 2]);
  cancel?.();
  clock.advance(60_000);
  expect(ran).toEqual([1, 2]);
});
