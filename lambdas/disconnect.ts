import { systemClock as clock } from '../core/clock.ts';
import { reportedEnd } from '../core/sessions/end.ts';
import { createSessionStore } from '../core/sessions/store.ts';
import { readContext } from './auth/authorizer-context.ts';
import { db } from './database.ts';
import { readEnvironment } from './environment.ts';
import type { DisconnectEvent } from './events.ts';

const { SESSIONS_TABLE: table, SHARDS: shards, RECORDS_ENDS } = readEnvironment('disconnect');
const { sessions } = createSessionStore({ db, table, shards, clock });

/** Deletes the session. API Gateway may skip this call. A 410 or the row's TTL then ends the session. */
export async function handler({ requestContext }: DisconnectEvent) {
  const { identity } = readContext(requestContext.authorizer);
  const { connectionId } = requestContext;
  if (RECORDS_ENDS) await sessions.recordEnd(identity, connectionId, reportedEnd(requestContext));
  await sessions.remove(identity, connectionId);
  return { statusCode: 200 };
}
