import { type Closing, closingFrame, type Identity, Refusal, type Session } from '../../protocol/index.ts';
import type { Logger } from '@aws-lambda-powertools/logger';
import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import { type ContentAs, frameFor } from '../content-form.ts';
import { closingSendingMs, handshakeWindowMs } from '../timing.ts';
import type { CheckQueue } from './check-queue.ts';
import type { Recipients } from './recipients.ts';
import type { Sessions } from './sessions.ts';

export interface CloseOptions {
  readonly sessions: Sessions;
  readonly recipients: Recipients;
  readonly connections: Pick<ConnectionsClient, 'prepare' | 'post' | 'disconnect'>;
  /** Gets the sessions whose connection could not be closed. @default - whoever closes them tries again */
  readonly checks?: CheckQueue | undefined;
  readonly clock: Pick<Clock, 'now' | 'wait'>;
  readonly logger: Pick<Logger, 'error'>;
}

export type CloseSession = (
  session: Pick<Session, 'connectionId' | 'tenant' | 'userType' | 'userId'> & {
    readonly connectedAt?: number;
    readonly contentAs?: ContentAs | undefined;
  },
  closing: Closing,
) => Promise<void>;

/** Resolves to how many sessions were closed. */
export type CloseUser = (user: Identity, closing: Closing) => Promise<number>;

/** The most sessions that are closed side by side. */
const pageSize = 100;
/**
 * The pauses after a 410 from a young session. Its handshake may still run, and the connection opens once `$connect`
 * has answered.
 */
const handshakePausesMs = [100, 300, 1_000];
/** API Gateway may close the connection by then. The queue makes further tries. */
const retryDelaySeconds = 5;

/**
 * Ends a session. The mark comes first: from then on no frame of the session is handled, whatever its socket does. A
 * frame with the reason follows, because API Gateway closes with code 1000 and no reason. The row is deleted last, so
 * that a failed close can be retried.
 */
export function createCloseSession(options: Omit<CloseOptions, 'recipients'>): CloseSession {
  const { sessions, connections, checks, clock, logger } = options;

  async function closeConnection(connectionId: string, text: string) {
    // The client makes retries until the deadline. The connection ends whether or not the frame arrives.
    const frame = connections.prepare(text);
    await connections.post(connectionId, frame, { deadline: clock.now() + closingSendingMs });
    return connections.disconnect(connectionId);
  }

  async function close(session: Parameters<CloseSession>[0], closing: Closing): Promise<void> {
    const { connectionId, connectedAt = 0, contentAs } = session;
    const text = frameFor({ frame: closingFrame(closing) }, contentAs);
    let end = await closeConnection(connectionId, text);
    const isYoung = connectedAt + handshakeWindowMs > clock.now();
    for (const pauseMs of isYoung ? handshakePausesMs : []) {
      if (end.outcome !== 'gone') break;
      await clock.wait(pauseMs);
      end = await closeConnection(connectionId, text);
    }
    if (end.outcome === 'throttled')
      throw new Refusal('rate_limited', 'The connection could not be closed yet.');
    if (end.outcome === 'failed') throw new Error('The connection was not closed.', { cause: end.cause });
    await sessions.remove(session, connectionId);
  }

  async function checkLater({ tenant, userType, userId, connectionId }: Parameters<CloseSession>[0]) {
    const check = { tenant, userType, userId, connectionId };
    try {
      await checks?.send([{ check, delaySeconds: retryDelaySeconds }]);
    } catch (cause) {
      // The caller hears of the failed close, and can try again.
      logger.error('close is not tried again', { connectionId, cause });
    }
  }

  return async (session, closing) => {
    await sessions.markEnded(session, session.connectionId, closing);
    try {
      await close(session, closing);
    } catch (cause) {
      // The mark tells the check that this session must end.
      await checkLater(session);
      throw cause;
    }
  };
}

/** Closes all sessions of a user, page by page, and tries those again that could not be closed before. */
export function createCloseUser(options: CloseOptions): CloseUser {
  const { recipients } = options;
  const closeSession = createCloseSession(options);
  return async (user, closing) => {
    let closed = 0;
    let after: string | undefined;
    let failure: PromiseRejectedResult | undefined;
    do {
      const page = await recipients.ofUser(user, { limit: pageSize, after, includesEnded: true });
      const ends = await Promise.allSettled(
        page.recipients.map(({ connectionId, connectedAt, contentAs }) =>
          closeSession({ ...user, connectionId, connectedAt, contentAs }, closing),
        ),
      );
      failure ??= ends.find((end) => end.status === 'rejected');
      closed += page.recipients.length;
      after = page.next;
    } while (after !== undefined);
    // The throw comes last: one connection that cannot be closed must not keep the others open.
    if (failure) throw failure.reason;
    return closed;
  };
}
