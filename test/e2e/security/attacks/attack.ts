import type { Stack } from '../../stack.ts';

/** One row of the matrix: what an attacker does, and what comes of it. */
export interface Attack {
  readonly name: string;
  /** Resolves to what the attacker gets: a status, a frame, or the state that must not have changed. */
  readonly run: (stack: Stack) => Promise<unknown>;
  /** Matched with `toMatchObject` if it is an object, else with `toEqual`. */
  readonly expected: unknown;
}
