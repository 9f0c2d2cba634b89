import { type Closing, closingFrame, Refusal, type Session } from '../protocol/index.ts';
import type { Poster } from './poster.ts';
import type { Sessions } from './sessions.ts';

export type CloseSession = (
  session: Pick<Session, 'connectionId' | 'tenant' | 'userType' | 'userId'>,
  closing: Closing,
) => Promise<void>;

/**
 * Ends a connection: the reason goes first as a frame, for a close made by the server carries neither code nor
 * reason of ours (it is always 1000). The row goes last, so that a close that failed can be tried again.
 */
export function createCloseSession({
  sessions,
  poster,
}: {
  sessions: Sessions;
  poster: Poster;
}): CloseSession {
  return async (session, closing) => {
    // Whatever becomes of the frame, the connection must end.
    await poster.post(session.connectionId, poster.prepare(closingFrame(closing)));
    const end = await poster.disconnect(session.connectionId);
    if (end.outcome === 'throttled')
      throw new Refusal('rate_limited', 'The connection could not be closed yet.');
    if (end.outcome === 'failed') throw new Error('The connection was not closed.', { cause: end.cause });
    await sessions.remove(session, session.connectionId);
  };
}
