import type { Logger } from '@aws-lambda-powertools/logger';
import { bareHeartbeat, type Closing, readClientFrame, Refusal } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { CloseSession } from '../sessions/close.ts';
import { closingOf, closings } from '../sessions/closings.ts';
import { grantsOf } from '../sessions/grants.ts';
import { isOpen, type SessionRow } from '../sessions/items.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { closingTakesMs } from '../timing.ts';
import type { Sender } from './context.ts';
import { type Dispatch, failedAnswer, type FrameAnswer } from './dispatch.ts';
import type { ListenerSession } from './listener.ts';

export interface ReceiveOptions {
  readonly dispatch: Dispatch;
  readonly sessions: Pick<Sessions, 'row'>;
  readonly closeSession: CloseSession;
  readonly logger: Pick<Logger, 'error'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Takes a client's text, and resolves to the answer. `undefined`: nothing is sent. */
export type Receive = (text: string, sender: ConnectedSender) => Promise<FrameAnswer | undefined>;

/** Who sent a frame on a connection. */
export interface ConnectedSender extends Sender {
  readonly session: ListenerSession;
}

/**
 * API Gateway authorises only the handshake, and repeats what was true then with each frame. The session's row says what
 * is true now: whether the session has ended, when it expires, and what its token allows
 * (docs/decisions/0013-a-frame-reads-its-session.md). A `ping` does nothing, so it needs no read.
 */
export function createReceive({ dispatch, sessions, closeSession, logger, clock }: ReceiveOptions): Receive {
  async function refuse(connected: ConnectedSender, row: SessionRow | undefined): Promise<void> {
    const { identity, session, contentAs } = connected;
    // Who has marked the session also closes it. A frame does so only if that has failed.
    if (row?.endedAt !== undefined && clock.now() < row.endedAt + closingTakesMs) return;
    await closeSession({ connectionId: session.connectionId, ...identity, contentAs }, reasonOf(row));
  }

  return async (text, sender) => {
    const { identity, session } = sender;
    const { connectionId } = session;
    try {
      if (isPing(text) && clock.now() < session.tokenExpiresAt) return await dispatch(text, sender);
      const row = await sessions.row(identity, connectionId);
      if (!row || !isOpen(row, clock.now())) {
        await refuse(sender, row);
        return undefined;
      }
      const { tokenExpiresAt } = row;
      const current = { ...sender, ...grantsOf(row), session: { ...session, tokenExpiresAt } };
      const answer = await dispatch(text, current);
      return answer.ackNotRequested ? undefined : answer;
    } catch (cause) {
      if (!(cause instanceof Refusal)) logger.error('message failed', { connectionId, cause });
      return failedAnswer(text, cause, sender);
    }
  };
}

function reasonOf(row: SessionRow | undefined): Closing {
  if (!row) return closings.not_found;
  if (row.endedAt !== undefined) return closingOf(row.endReason);
  return closings.token_expired;
}

function isPing(text: string): boolean {
  if (text === bareHeartbeat.ping) return true;
  // The first look spares most frames a second parse. A ping that hides its type in escapes is read like any frame.
  if (!text.includes('"ping"')) return false;
  const reading = readClientFrame(text);
  return reading.ok && reading.frame.type === 'ping';
}
