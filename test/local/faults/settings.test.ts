import { describe, expect, it } from 'vitest';
import { createClock } from '../../../local/clock.ts';
import { createDraws } from '../../../local/faults/draws.ts';
import { Faults } from '../../../local/faults/faults.ts';
import { allFaults, noFaults, parseFaults, readFaults } from '../../../local/faults/settings.ts';
import { createMeter } from '../../../local/meter.ts';

function createFaults(given: Parameters<typeof readFaults>[0] = {}) {
  const meter = createMeter();
  return { meter, faults: new Faults(readFaults(given), createClock(1), meter) };
}

describe('the settings of faults', () => {
  it('are off by default, and a setting that is not given has its default', () => {
    expect(readFaults({})).toEqual(noFaults);
    expect(readFaults({ throttled: 0.5 })).toEqual({ ...noFaults, throttled: 0.5 });
  });

  it.each([
    ['no object', 5, 'faults: must be a JSON object of numbers'],
    ['a list', [], 'faults: must be a JSON object of numbers'],
    ['an unknown name', { colour: 1 }, 'colour: is no fault; there are seed, clockSpeed'],
    ['a name of all objects', { constructor: 1 }, 'constructor: is no fault'],
    ['text', { throttled: '1' }, 'throttled: must be a number'],
    ['a share above 1', { throttled: 1.1 }, 'throttled: must be a share from 0 to 1'],
    ['a negative share', { reordered: -0.1 }, 'reordered: must be a share from 0 to 1'],
    ['a negative time', { cutAfterMs: -1 }, 'cutAfterMs: must be at least 0'],
    ['a clock that stands', { clockSpeed: 0 }, 'clockSpeed: must be from 0.001 to 1000000'],
    ['half a seed', { seed: 0.5 }, 'seed: must be a whole number'],
  ])('refuse %s', (_what, given, message) => {
    expect(() => readFaults(given)).toThrow(message);
  });

  it('are read from a flag', () => {
    expect(parseFaults('throttled=0.05, cutAfterMs=5000,seed=7')).toEqual({
      throttled: 0.05,
      cutAfterMs: 5000,
      seed: 7,
    });
    expect(parseFaults('all,seed=7')).toEqual({ ...allFaults, seed: 7 });
    for (const text of ['', 'throttled', 'throttled=x', 'nothing=1', 'throttled=2']) {
      expect(() => parseFaults(text)).toThrow();
    }
  });
});

describe('the random draws', () => {
  const first = (seed: number, name: string) => Array.from({ length: 5 }, createDraws(seed, name));

  it('are the same for the same seed and name, and differ for others', () => {
    expect(first(1, 'cut')).toEqual(first(1, 'cut'));
    expect(first(1, 'cut')).not.toEqual(first(2, 'cut'));
    expect(first(1, 'cut')).not.toEqual(first(1, 'gone'));
  });

  it('cover the whole range', () => {
    const draw = createDraws(3, 'spread');
    const drawn = Array.from({ length: 10_000 }, draw);
    const tenths = Array.from({ length: 10 }, (_, tenth) =>
      drawn.filter((x) => Math.floor(x * 10) === tenth),
    );
    for (const tenth of tenths) expect(tenth.length).toBeGreaterThan(850);
    expect(drawn.every((x) => x >= 0 && x < 1)).toBe(true);
  });
});

describe('a fault', () => {
  it('is injected at its share, is counted, and repeats with the same seed', () => {
    const strikes = (seed: number) => {
      const { faults, meter } = createFaults({ throttled: 0.3, seed });
      const struck = Array.from({ length: 1000 }, () => faults.shouldInject('throttled'));
      expect(meter.snapshot()).toEqual({ 'faults.throttled': struck.filter(Boolean).length });
      return struck;
    };
    expect(strikes(1)).toEqual(strikes(1));
    expect(strikes(1)).not.toEqual(strikes(2));
    expect(strikes(1).filter(Boolean).length).toBeGreaterThan(250);
  });

  it('is independent of the draws of other faults', () => {
    const alone = createFaults({ throttled: 0.3 }).faults;
    const among = createFaults({ throttled: 0.3, youngGone: 0.3 }).faults;
    const struck = Array.from({ length: 100 }, () => alone.shouldInject('throttled'));
    const others = Array.from({ length: 100 }, () => {
      among.shouldInject('youngGone');
      return among.shouldInject('throttled');
    });
    expect(others).toEqual(struck);
  });

  it('is never injected if it is off, and begins anew when the settings are replaced', () => {
    const { faults, meter } = createFaults({ throttled: 0.5 });
    const before = Array.from({ length: 20 }, () => faults.shouldInject('throttled'));
    faults.replace({ throttled: 0.5 });
    expect(Array.from({ length: 20 }, () => faults.shouldInject('throttled'))).toEqual(before);
    faults.replace({});
    const counted = meter.snapshot();
    expect(Array.from({ length: 20 }, () => faults.shouldInject('throttled'))).not.toContain(true);
    expect(meter.snapshot()).toEqual(counted);
  });

  it('with a refused setting changes nothing', () => {
    const { faults } = createFaults({ throttled: 0.5 });
    expect(() => {
      faults.replace({ throttled: 2 });
    }).toThrow();
    expect(faults.settings.throttled).toBe(0.5);
  });
});
