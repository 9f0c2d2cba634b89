import { type Closing, closingFrame, Refusal, type Session } from '../../protocol/index.ts';
import { type ConnectionsClient, isRetryable } from '../connections/client.ts';
import type { Sessions } from './sessions.ts';

export type CloseSession = (
  session: Pick<Session, 'connectionId' | 'tenant' | 'userType' | 'userId'>,
  closing: Closing,
) => Promise<void>;

/** Between the tries to say why: a client that is not told that it must not connects again. */
const pausesMs = [200, 800];

/** For all of them: the connection must be closed within the 29 s that a function has. */
const sayingTimeMs = 8000;

/**
 * Ends a connection: the reason goes first as a frame, for a close made by the server carries neither code nor
 * reason of ours (it is always 1000). The row goes last, so that a close that failed can be tried again.
 */
export function createCloseSession({
  sessions,
  connections,
  now,
  wait,
}: {
  sessions: Sessions;
  connections: ConnectionsClient;
  now: () => number;
  wait: (ms: number) => Promise<unknown>;
}): CloseSession {
  async function say(connectionId: string, closing: Closing): Promise<void> {
    const frame = connections.prepare(closingFrame(closing));
    const limits = { deadline: now() + sayingTimeMs };
    for (const pauseMs of closing.retry ? [] : pausesMs) {
      if (!isRetryable(await connections.post(connectionId, frame, limits))) return;
      await wait(pauseMs);
    }
    await connections.post(connectionId, frame, limits);
  }

  return async (session, closing) => {
    // Whatever becomes of the frame, the connection must end.
    await say(session.connectionId, closing);
    const end = await connections.disconnect(session.connectionId);
    if (end.outcome === 'throttled')
      throw new Refusal('rate_limited', 'The connection could not be closed yet.');
    if (end.outcome === 'failed') throw new Error('The connection was not closed.', { cause: end.cause });
    await sessions.remove(session, session.connectionId);
  };
}
