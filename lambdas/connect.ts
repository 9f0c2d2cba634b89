import { connectionOf } from './authorizer-context.ts';
import { readEnvironment } from './environment.ts';
import type { ConnectionEvent } from './events.ts';
import { log } from './log.ts';
import { buildSessions } from './stores.ts';

const { sessions } = buildSessions(readEnvironment('connect'));

/** Registers the session. The handshake waits for this, so the session is found from the moment it is open. */
export async function handler({ requestContext }: ConnectionEvent) {
  const { connectionId, connectedAt, identity: client, authorizer } = requestContext;
  const { identity, tokenExpiresAt } = connectionOf(authorizer);
  const { sourceIp } = client;
  const userAgent = client.userAgent ?? '';
  try {
    await sessions.add({ connectionId, ...identity, connectedAt, tokenExpiresAt, sourceIp, userAgent });
    return { statusCode: 200 };
  } catch (cause) {
    // A throw would reach the client as 502; the fault is ours, and a retry may succeed.
    log.error('session was not stored', { connectionId, cause });
    return { statusCode: 500 };
  }
}
