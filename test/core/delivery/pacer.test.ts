import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPacer } from '../../../core/delivery/pacer.ts';

/** The times, in ms, at which so many turns came on a clock that moves only by waiting. */
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
  it('never lets more go than its rate and its window allow, and no fewer than its rate', async () => {
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
          // A wait is a millisecond at least: what ran up meanwhile goes at once.
          expect(times.at(-1)).toBeLessThanOrEqual((count * 1000) / rate + 2);
        },
      ),
    );
  });
});
