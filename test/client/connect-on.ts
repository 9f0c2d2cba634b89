import type { Client, Options } from '../../client/index.ts';
import { type Machine, readOptions } from '../../client/options.ts';
import { openSession } from '../../client/session.ts';

/** Connects as `connect` does, on a machine that the test controls: its clock, its page, or both. */
export function connectOn(options: Options & Partial<Machine>): Client {
  return openSession(readOptions(options));
}
