import { type Closing, closingFrame, Refusal, type Session } from '../protocol/index.ts';
import type { Poster } from './poster.ts';
import type { Sessions } from './sessions.ts';

export type CloseSession = (
  session: Pick<Session, 'connectionId' | 'tenant' | 'userType' | 'userId'>,
  closing: Closing,
) => Promise<void>;

/** Between the tries to say why. A client that is not told connects again. */
const pausesMs = [200, 800];

/**
 * Ends a connection: the reason goes first as a frame, for a close made by the server carries neither code nor
 * reason of ours (it is always 1000). The row goes last, so that a close that failed can be tried again.
 */
export function createCloseSession({
  sessions,
  poster,
  wait,
}: {
  sessions: Sessions;
  poster: Poster;
  wait: (ms: number) => Promise<unknown>;
}): CloseSession {
  async function say(connectionId: string, closing: Closing): Promise<void> {
    const frame = poster.prepare(closingFrame(closing));
    for (const pauseMs of [...pausesMs, undefined]) {
      const { outcome } = await poster.post(connectionId, frame);
      if (outcome !== 'throttled' && outcome !== 'failed') return;
      if (pauseMs !== undefined) await wait(pauseMs);
    }
  }

  return async (session, closing) => {
    // Whatever becomes of the frame, the connection must end.
    await say(session.connectionId, closing);
    const end = await poster.disconnect(session.connectionId);
    if (end.outcome === 'throttled')
      throw new Refusal('rate_limited', 'The connection could not be closed yet.');
    if (end.outcome === 'failed') throw new Error('The connection was not closed.', { cause: end.cause });
    await sessions.remove(session, session.connectionId);
  };
}
