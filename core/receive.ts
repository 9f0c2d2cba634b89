import type { CloseSession } from './close-session.ts';
import type { Dispatch, Sender } from './dispatch.ts';

export interface ReceiveOptions {
  readonly dispatch: Dispatch;
  readonly closeSession: CloseSession;
  readonly now: () => number;
}

/**
 * Takes a client's text: only the handshake is authorised by the platform, so the token's expiry is held here.
 * Resolves to the text that answers it, or to nothing.
 */
export function createReceive({ dispatch, closeSession, now }: ReceiveOptions) {
  return async (text: string, sender: Sender): Promise<string | undefined> => {
    if (now() < sender.tokenExpiresAt) return dispatch(text, sender);
    await closeSession(
      { connectionId: sender.connectionId, ...sender.identity },
      { code: 'token_expired', message: 'The token has expired; connect with a new one.', retry: true },
    );
    return undefined;
  };
}
