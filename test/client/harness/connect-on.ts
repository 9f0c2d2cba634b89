import type { Client, Options } from '../../../client/index.ts';
import { type Machine, readOptions } from '../../../client/options.ts';
import { openSession } from '../../../client/session.ts';

/** Connects like `connect`, with a clock and a page that the test controls. */
export function connectOn(options: Options & Partial<Machine>): Client {
  return openSession(readOptions(options));
}
