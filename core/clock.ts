import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

/** Time, ids and chance. They are passed in, so that a test decides them. */
export interface Clock {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
  /** A new UUID. */
  readonly newId: () => string;
  /** From 0 to below 1. */
  readonly random: () => number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  wait: (ms) => setTimeout(ms),
  newId: () => randomUUID(),
  random: () => Math.random(),
};
