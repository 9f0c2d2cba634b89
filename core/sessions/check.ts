import type { Logger } from '@aws-lambda-powertools/logger';
import { type Closing, connectionLifetimeMs } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import {
  type CheckQueue,
  type DelayedCheck,
  delayUntil,
  readCheck,
  type SessionCheck,
} from './check-queue.ts';
import type { CloseSession } from './close.ts';
import { closingOf, closings } from './closings.ts';
import { contentAsOf, type SessionRow } from './items.ts';
import type { Sessions } from './sessions.ts';

export interface CheckOptions {
  readonly sessions: Pick<Sessions, 'row'>;
  readonly closeSession: CloseSession;
  readonly checks: CheckQueue;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'error'>;
}

/** A message of the queue, as it arrived. */
export interface CheckMessage {
  readonly messageId: string;
  readonly body: string;
}

/**
 * Looks at the sessions that messages name. Closes those that must end, and sends a check of the others on. Resolves to
 * the ids of the messages that failed. A message may come twice or late: the session's row decides.
 */
export function createCheckSessions({ sessions, closeSession, checks, clock, logger }: CheckOptions) {
  /** Resolves to the next check. `undefined`: the session needs none. */
  async function check(body: string): Promise<DelayedCheck | undefined> {
    const asked = readCheck(body);
    const row = await sessions.row(asked, asked.connectionId);
    if (!row) return undefined;
    const closing = reasonNow(asked, row, clock.now());
    if (closing) {
      const { connectedAt } = row;
      await closeSession({ ...asked, connectedAt, contentAs: contentAsOf(row) }, closing);
      return undefined;
    }
    // A refresh may have moved the expiry beyond the end of the connection.
    if (row.tokenExpiresAt >= row.connectedAt + connectionLifetimeMs) return undefined;
    return { check: asked, delaySeconds: delayUntil(row.tokenExpiresAt, clock.now()) };
  }

  return async (messages: readonly CheckMessage[]): Promise<readonly string[]> => {
    const failed: string[] = [];
    const next: (DelayedCheck & Pick<CheckMessage, 'messageId'>)[] = [];
    const fail = (messageId: string, cause: unknown) => {
      failed.push(messageId);
      logger.error('session was not checked', { messageId, cause });
    };
    await Promise.all(
      messages.map(async ({ messageId, body }) => {
        try {
          const later = await check(body);
          if (later) next.push({ ...later, messageId });
        } catch (cause) {
          fail(messageId, cause);
        }
      }),
    );
    try {
      await checks.send(next);
    } catch (cause) {
      for (const { messageId } of next) fail(messageId, cause);
    }
    return failed;
  };
}

/** Why the session ends now. `undefined`: it stays. */
function reasonNow({ code }: SessionCheck, row: SessionRow, now: number): Closing | undefined {
  // The row of a session that was closed in vain has the reason of that close.
  if (row.endedAt !== undefined) return closingOf(row.endReason);
  if (code) return closings[code];
  return row.tokenExpiresAt <= now ? closings.token_expired : undefined;
}
