import { setTimeout as wait } from 'node:timers/promises';
import { createCloseSession } from '../core/close-session.ts';
import { createDeliver } from '../core/deliver.ts';
import type { Pacer } from '../core/pacer.ts';
import { createPoster } from '../core/poster.ts';
import { readRegion } from './environment.ts';
import { log } from './log.ts';
import { buildMessages } from './message-stores.ts';
import { buildSessions } from './stores.ts';

export interface CallerEnvironment {
  readonly SESSIONS_TABLE: string;
  readonly MESSAGES_TABLE: string;
  readonly SHARDS: string;
  readonly CALLBACK_ENDPOINT: string;
}

/** The parts of a function that calls the callback API; a pace is kept by a worker of the fan-out. */
export function buildCaller(environment: CallerEnvironment, pacer?: Pacer) {
  const stores = { ...buildSessions(environment), ...buildMessages(environment) };
  const { sessions } = stores;
  // Retries within the poster would go past the pacer; the delivery makes its own, at the same pace.
  const retries = pacer ? { retries: 0 } : {};
  const poster = createPoster({ endpoint: environment.CALLBACK_ENDPOINT, region: readRegion(), ...retries });
  const pace = pacer ? { pacer } : {};
  const deliver = createDeliver({ sessions, poster, log, now: Date.now, wait, random: Math.random, ...pace });
  return {
    ...stores,
    poster,
    deliver,
    closeSession: createCloseSession({ sessions, poster, now: Date.now, wait }),
  };
}
