import { systemClock as clock } from '../core/clock.ts';
import { createSessionStore } from '../core/sessions/store.ts';
import { readContext } from './auth/authorizer-context.ts';
import { db } from './database.ts';
import { readEnvironment } from './environment.ts';
import type { ConnectionEvent } from './events.ts';
import { log } from './log.ts';

const { SESSIONS_TABLE: table, SHARDS: shards } = readEnvironment('connect');
const { sessions } = createSessionStore({ db, table, shards, clock });

/** Writes the session. The handshake waits for this, so publishes to the user find the session once the connection is open. */
export async function handler({ requestContext }: ConnectionEvent) {
  const { connectionId, connectedAt, identity: client, authorizer } = requestContext;
  const { identity, expiresAt: tokenExpiresAt } = readContext(authorizer);
  const { sourceIp } = client;
  const userAgent = client.userAgent ?? '';
  try {
    await sessions.add({ connectionId, ...identity, connectedAt, tokenExpiresAt, sourceIp, userAgent });
    return { statusCode: 200 };
  } catch (cause) {
    // A throw would reach the client as 502. The fault is ours, and a retry may succeed.
    log.error('session was not stored', { connectionId, cause });
    return { statusCode: 500 };
  }
}
