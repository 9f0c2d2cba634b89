import type { Identity } from '../../protocol/index.ts';
import type { CloseSession } from '../sessions/close.ts';
import type { Dispatch } from './dispatch.ts';
import type { ListenerSession } from './listener.ts';
import type { Sessions } from '../sessions/sessions.ts';

export interface ReceiveOptions {
  readonly dispatch: Dispatch;
  readonly sessions: Pick<Sessions, 'get'>;
  readonly closeSession: CloseSession;
  readonly now: () => number;
}

/**
 * Takes a client's text: only the handshake is authorised by the platform, so the token's expiry is held here. What the
 * platform hands over is the expiry of then; once it has passed, the session's row tells whether it was refreshed.
 * Resolves to the text that answers it, or to nothing.
 */
export function createReceive({ dispatch, sessions, closeSession, now }: ReceiveOptions) {
  return async (text: string, identity: Identity, session: ListenerSession): Promise<string | undefined> => {
    const isOpen = now() < session.tokenExpiresAt;
    const present = isOpen ? session : await sessions.get(identity, session.connectionId);
    if (present) {
      const { tokenExpiresAt } = present;
      const answer = await dispatch(text, { identity, session: { ...session, tokenExpiresAt } });
      return answer.ackNotRequested ? undefined : answer.text;
    }
    await closeSession(
      { connectionId: session.connectionId, ...identity },
      { code: 'token_expired', message: 'The token has expired; connect with a new one.', retry: true },
    );
    return undefined;
  };
}
