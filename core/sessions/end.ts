import type { Closing } from '../../protocol/index.ts';

/** Why a session ended, as lifecycle targets are told. */
export interface SessionEnd {
  /** The WebSocket close code. */
  readonly code: number;
  readonly reason: string;
}

/** Whether a client may connect again by itself after a close with this code (docs/protocol.md). */
const mayReconnect: Readonly<Record<Closing['code'], boolean>> = {
  kicked: false,
  token_expired: true,
  revoked: false,
  too_many_sessions: false,
  not_found: true,
};

/** The reasons that only Switchboard gives. A client may send any text with its close frame. */
const ownReasons = ['lost', ...Object.keys(mayReconnect)];

/** The end that `$disconnect` reports. Without a close frame there is no code: RFC 6455 calls that 1006. */
export function reportedEnd({
  disconnectStatusCode,
  disconnectReason,
}: {
  readonly disconnectStatusCode?: number | null;
  readonly disconnectReason?: string | null;
}): SessionEnd {
  const reason = disconnectReason ?? '';
  const isUsable = reason !== '' && !ownReasons.includes(reason);
  return { code: disconnectStatusCode ?? 1006, reason: isUsable ? reason : 'closed' };
}

/** The end of a session that Switchboard closes. API Gateway then always closes with 1000. */
export function closingEnd({ code }: Closing): SessionEnd {
  return { code: 1000, reason: code };
}

/** What a client is told whose session was marked with this reason, and whose connection is still there. */
export function closingOf(endReason = ''): Closing {
  const code = isClosingCode(endReason) ? endReason : 'not_found';
  return { code, message: 'The session has ended.', retry: mayReconnect[code] };
}

function isClosingCode(reason: string): reason is Closing['code'] {
  return Object.hasOwn(mayReconnect, reason);
}
