import { createConnectionsClient } from '../core/connections/client.ts';
import type { Resources } from '../core/switchboard.ts';
import { db } from './database.ts';
import { readRegion } from './environment.ts';
import { log } from './logging/log.ts';

/** The resources of a function that calls the callback API, from its environment. */
export function createResources(environment: {
  readonly SESSIONS_TABLE: string;
  readonly STATE_TABLE: string;
  readonly SHARDS: number;
  readonly CALLBACK_ENDPOINT: string;
  readonly FAN_OUT_RATE?: number;
}): Resources {
  const { SESSIONS_TABLE, STATE_TABLE, SHARDS, CALLBACK_ENDPOINT, FAN_OUT_RATE } = environment;
  const endpoint = { endpoint: CALLBACK_ENDPOINT, region: readRegion() };
  return {
    db,
    tables: { sessions: SESSIONS_TABLE, state: STATE_TABLE },
    shards: SHARDS,
    logger: log,
    ...(FAN_OUT_RATE === undefined
      ? { connections: createConnectionsClient(endpoint) }
      : // A retry within the client would bypass the pacer. The delivery retries at the paced rate.
        { connections: createConnectionsClient({ ...endpoint, retries: 0 }), postsPerSecond: FAN_OUT_RATE }),
  };
}
