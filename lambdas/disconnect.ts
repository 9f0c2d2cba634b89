import { connectionOf } from './authorizer-context.ts';
import { readEnvironment } from './environment.ts';
import type { ConnectionEvent } from './events.ts';
import { buildSessions } from './stores.ts';

const { sessions } = buildSessions(readEnvironment('disconnect'));

/** Forgets the session. API Gateway calls this at best; the row's expiry and 410s clean up after the rest. */
export async function handler({ requestContext }: ConnectionEvent) {
  await sessions.remove(connectionOf(requestContext.authorizer).identity, requestContext.connectionId);
  return { statusCode: 200 };
}
