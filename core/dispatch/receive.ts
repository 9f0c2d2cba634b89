import type { Logger } from '@aws-lambda-powertools/logger';
import { Refusal } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { CloseSession } from '../sessions/close.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { type Dispatch, failedAnswer, type FrameAnswer, type Sender } from './dispatch.ts';
import type { ListenerSession } from './listener.ts';

export interface ReceiveOptions {
  readonly dispatch: Dispatch;
  readonly sessions: Pick<Sessions, 'get'>;
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
 * API Gateway authorises only the handshake, so the token's expiry is checked here. API Gateway repeats the expiry of
 * the handshake with each frame. Once that has passed, the session's row tells whether the token was refreshed.
 */
export function createReceive({ dispatch, sessions, closeSession, logger, clock }: ReceiveOptions): Receive {
  return async (text, { session, ...sender }) => {
    const { identity } = sender;
    const { connectionId } = session;
    try {
      const isOpen = clock.now() < session.tokenExpiresAt;
      const current = isOpen ? session : await sessions.get(identity, connectionId);
      if (current) {
        const { tokenExpiresAt } = current;
        const answer = await dispatch(text, { ...sender, session: { ...session, tokenExpiresAt } });
        return answer.ackNotRequested ? undefined : answer;
      }
      const message = 'The token has expired; connect with a new one.';
      await closeSession({ connectionId, ...identity }, { code: 'token_expired', message, retry: true });
      return undefined;
    } catch (cause) {
      if (!(cause instanceof Refusal)) logger.error('message failed', { connectionId, cause });
      return failedAnswer(text, cause);
    }
  };
}
