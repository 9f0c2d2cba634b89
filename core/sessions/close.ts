import { type Closing, closingFrame, type Identity, Refusal, type Session } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import { closingSendingMs } from '../timing.ts';
import { listSessions } from './list.ts';
import type { Recipients } from './recipients.ts';
import type { Sessions } from './sessions.ts';

export interface CloseOptions {
  readonly sessions: Sessions;
  readonly recipients: Recipients;
  readonly connections: Pick<ConnectionsClient, 'prepare' | 'post' | 'disconnect'>;
  readonly clock: Pick<Clock, 'now'>;
}

export type CloseSession = (
  session: Pick<Session, 'connectionId' | 'tenant' | 'userType' | 'userId'>,
  closing: Closing,
) => Promise<void>;

/** Resolves to how many sessions were closed. */
export type CloseUser = (user: Identity, closing: Closing) => Promise<number>;

/**
 * Ends a session. The mark comes first: from then on no frame of the session is handled, whatever its socket does. A
 * frame with the reason follows, because API Gateway closes with code 1000 and no reason. The row is deleted last, so
 * that a failed close can be retried.
 */
export function createCloseSession({ sessions, connections, clock }: CloseOptions): CloseSession {
  return async (session, closing) => {
    const { connectionId } = session;
    await sessions.markEnded(session, connectionId, closing);
    // The client makes retries until the deadline. The connection ends whether or not the frame arrives.
    const frame = connections.prepare(closingFrame(closing));
    await connections.post(connectionId, frame, { deadline: clock.now() + closingSendingMs });
    const end = await connections.disconnect(connectionId);
    if (end.outcome === 'throttled')
      throw new Refusal('rate_limited', 'The connection could not be closed yet.');
    if (end.outcome === 'failed') throw new Error('The connection was not closed.', { cause: end.cause });
    await sessions.remove(session, connectionId);
  };
}

/** Closes all sessions of a user, page by page. */
export function createCloseUser(options: CloseOptions): CloseUser {
  const { recipients, sessions } = options;
  const closeSession = createCloseSession(options);
  return async (user, closing) => {
    let closed = 0;
    let cursor: string | undefined;
    do {
      const page = await listSessions(recipients, sessions, { ...user, cursor });
      const ends = await Promise.allSettled(page.sessions.map((session) => closeSession(session, closing)));
      const failure = ends.find((end) => end.status === 'rejected');
      // All closes end before the throw, because Lambda freezes a function that has answered.
      if (failure) throw failure.reason;
      closed += page.sessions.length;
      ({ cursor } = page);
    } while (cursor !== undefined);
    return closed;
  };
}
