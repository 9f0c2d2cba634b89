import type { Clock } from '../../core/clock.ts';

type Warn = (message: string, fields: Record<string, unknown>) => void;

/** Warnings of one function environment in a second. */
const maxPerSecond = 5;

/**
 * For warnings that a stranger can cause at will: each line costs money, and hides others. The next line after some
 * were left out says how many.
 */
export function sampleWarnings(warn: Warn, clock: Pick<Clock, 'now'>): Warn {
  let second = 0;
  let written = 0;
  let leftOut = 0;
  return (message, fields) => {
    const now = Math.floor(clock.now() / 1000);
    if (now !== second) [second, written] = [now, 0];
    if (written === maxPerSecond) {
      leftOut += 1;
      return;
    }
    written += 1;
    warn(message, { ...fields, ...(leftOut > 0 && { leftOut }) });
    leftOut = 0;
  };
}
