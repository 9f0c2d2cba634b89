import { setTimeout as wait } from 'node:timers/promises';
import { createCloseSession } from '../core/sessions/close.ts';
import { createDeliver } from '../core/delivery/deliver.ts';
import type { Pacer } from '../core/delivery/pacer.ts';
import { createConnectionsClient } from '../core/connections/client.ts';
import { readRegion } from './environment.ts';
import { log } from './log.ts';
import { buildState } from './state-stores.ts';
import { buildSessions } from './stores.ts';

export interface CallerEnvironment {
  readonly SESSIONS_TABLE: string;
  readonly STATE_TABLE: string;
  readonly SHARDS: string;
  readonly CALLBACK_ENDPOINT: string;
}

/** The parts of a function that calls the callback API; a pace is kept by a worker of the fan-out. */
export function buildCaller(environment: CallerEnvironment, pacer?: Pacer) {
  const stores = { ...buildSessions(environment), ...buildState(environment) };
  const { sessions } = stores;
  // Retries within the poster would go past the pacer; the delivery makes its own, at the same pace.
  const retries = pacer ? { retries: 0 } : {};
  const connections = createConnectionsClient({
    endpoint: environment.CALLBACK_ENDPOINT,
    region: readRegion(),
    ...retries,
  });
  const pace = pacer ? { pacer } : {};
  const deliver = createDeliver({
    sessions,
    connections,
    log,
    now: Date.now,
    wait,
    random: Math.random,
    ...pace,
  });
  return {
    ...stores,
    connections,
    deliver,
    closeSession: createCloseSession({ sessions, connections, now: Date.now, wait }),
  };
}
