import type { Closing } from '../../protocol/index.ts';

/** Why Switchboard closes a connection, as its client is told. With `retry` the client connects again. */
export const closings: Readonly<Record<Closing['code'], Closing>> = {
  kicked: { code: 'kicked', message: 'The session was ended by the service.', retry: false },
  revoked: { code: 'revoked', message: 'The tokens of the user were revoked.', retry: false },
  token_expired: {
    code: 'token_expired',
    message: 'The token has expired; connect with a new one.',
    retry: true,
  },
  too_many_sessions: {
    code: 'too_many_sessions',
    message: 'The user has too many sessions, and this one was the oldest.',
    retry: false,
  },
  not_found: { code: 'not_found', message: 'The session has ended; connect again.', retry: true },
};

/** What a client is told whose session was marked with this reason, and whose connection is still there. */
export function closingOf(endReason: string | undefined): Closing {
  return Object.values(closings).find(({ code }) => code === endReason) ?? closings.not_found;
}
