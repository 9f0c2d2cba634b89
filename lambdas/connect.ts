import { systemClock as clock } from '../core/clock.ts';
import { createUserLimit } from '../core/limits/limit.ts';
import { handshakeUnits } from '../core/limits/units.ts';
import { createCheckQueue } from '../core/sessions/check-queue.ts';
import { createOpenSession } from '../core/sessions/open.ts';
import { createSeen } from '../core/sessions/seen.ts';
import { createSessionStore } from '../core/sessions/store.ts';
import { readContext } from './auth/authorizer-context.ts';
import { db } from './database.ts';
import { readEndpoint, readEnvironment, readRegion } from './environment.ts';
import type { ConnectionEvent } from './events.ts';
import { log } from './logging/log.ts';
import { sampleWarnings } from './logging/sampled-warnings.ts';

const environment = readEnvironment('connect');
const { SESSIONS_TABLE: table, STATE_TABLE, SHARDS: shards } = environment;
const openSession = createOpenSession({
  ...createSessionStore({ db, table, shards, clock }),
  db,
  table,
  checks: createCheckQueue({
    url: environment.CHECK_QUEUE_URL,
    region: readRegion(),
    endpoint: readEndpoint(),
  }),
  seen: createSeen({ db, table: STATE_TABLE, clock, logger: log }),
  maxSessionsPerUser: environment.MAX_SESSIONS_PER_USER,
  clock,
  logger: log,
});

const limit = createUserLimit({ db, table: environment.STATE_TABLE, clock }, environment.USER_RATE);
const warn = sampleWarnings((message, fields) => log.warn(message, fields), clock);

/** Writes the session. The handshake waits for this, so publishes to the user find the session once the connection is open. */
export async function handler({ requestContext }: ConnectionEvent) {
  const { connectionId, connectedAt, identity: client, authorizer } = requestContext;
  const { identity, issuedAt, expiresAt: tokenExpiresAt, contentAs } = readContext(authorizer);
  const { sourceIp } = client;
  const userAgent = client.userAgent ?? '';
  try {
    // "You want to throttle connections": apigateway-websocket-api-route-keys-connect-disconnect
    if (await limit(identity, handshakeUnits)) {
      warn('handshake refused', { connectionId, reason: 'the user connects too often' });
      return { statusCode: 429 };
    }
    const session = {
      ...{ connectionId, ...identity, connectedAt, tokenExpiresAt },
      ...{ sourceIp, userAgent, contentAs },
    };
    const opening = await openSession(session, issuedAt);
    if (opening === 'open') return { statusCode: 200 };
    warn('handshake refused', { connectionId, reason: reasons[opening] });
    return { statusCode: 403 };
  } catch (cause) {
    // A throw would reach the client as 502. The fault is ours, and a retry may succeed.
    log.error('session was not opened', { connectionId, cause });
    return { statusCode: 500 };
  }
}

const reasons = { revoked: 'token was revoked', ended: 'session was closed during its handshake' };
