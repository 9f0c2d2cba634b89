import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPacer } from '../../../core/delivery/pacer.ts';

/** The times of so many turns, in ms, on a clock that only waits move. */
async function turns(rate: number, count: number): Promise<number[]> {
  let ms = 0;
  const wait = (by: number) => {
    ms += by;
    return Promise.resolve();
  };
  const pacer = createPacer(rate, { now: () => ms, wait });
  const times: number[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    await pacer();
    times.push(ms);
  }
  return times;
}

describe('a pacer', () => {
  it('allows no more than its rate and window, and no less than its rate', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 2, max: 400 }),
        async (rate, count) => {
          const times = await turns(rate, count);
          const burst = Math.max(1, rate * 0.1);
          for (const [index, at] of times.entries()) {
            expect(index + 1).toBeLessThanOrEqual(burst + (at * rate) / 1000 + 1e-6);
          }
          // A wait lasts at least a millisecond. The capacity of that time is used at once.
          expect(times.at(-1)).toBeLessThanOrEqual((count * 1000) / rate + 2);
        },
      ),
    );
  });
});
