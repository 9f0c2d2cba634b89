import { systemClock as clock } from '../core/clock.ts';
import { createConnectionsClient } from '../core/connections/client.ts';
import { createCheckSessions } from '../core/sessions/check.ts';
import { createCheckQueue } from '../core/sessions/check-queue.ts';
import { createCloseSession } from '../core/sessions/close.ts';
import { createSessionStore } from '../core/sessions/store.ts';
import { db } from './database.ts';
import { readEndpoint, readEnvironment, readRegion } from './environment.ts';
import type { QueueEvent } from './events.ts';
import { log } from './logging/log.ts';

const environment = readEnvironment('close-sessions');
const { SESSIONS_TABLE: table, SHARDS: shards, CALLBACK_ENDPOINT: endpoint } = environment;
const region = readRegion();
const store = createSessionStore({ db, table, shards, clock });
const connections = createConnectionsClient({ endpoint, region });
const checkSessions = createCheckSessions({
  ...store,
  closeSession: createCloseSession({ ...store, connections, clock, logger: log }),
  checks: createCheckQueue({ url: environment.CHECK_QUEUE_URL, region, endpoint: readEndpoint() }),
  clock,
  logger: log,
});

/** Looks at sessions whose time may have come. A message that failed is reported, and the queue delivers it again. */
export async function handler({ Records }: QueueEvent) {
  const failed = await checkSessions(Records);
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
