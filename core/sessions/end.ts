import type { Closing } from '../../protocol/index.ts';
import { closings } from './closings.ts';

/** Why a session ended, as lifecycle targets are told. */
export interface SessionEnd {
  /** The WebSocket close code. */
  readonly code: number;
  readonly reason: string;
}

/** The reasons that only Switchboard gives. A client may send any text with its close frame. */
const ownReasons = ['lost', ...Object.keys(closings)];

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
