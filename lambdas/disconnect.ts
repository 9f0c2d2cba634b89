import { systemClock as clock } from '../core/clock.ts';
import { createSessionStore } from '../core/sessions/store.ts';
import { readConnection } from './authorizer-context.ts';
import { db } from './database.ts';
import { readEnvironment } from './environment.ts';
import type { ConnectionEvent } from './events.ts';

const { SESSIONS_TABLE: table, SHARDS: shards } = readEnvironment('disconnect');
const { sessions } = createSessionStore({ db, table, shards, clock });

/** Deletes the session. API Gateway may skip this call. A 410 or the row's TTL then ends the session. */
export async function handler({ requestContext }: ConnectionEvent) {
  await sessions.remove(readConnection(requestContext.authorizer).identity, requestContext.connectionId);
  return { statusCode: 200 };
}
