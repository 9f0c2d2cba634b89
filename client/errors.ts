import type { ErrorCode } from '../protocol/errors.ts';

/** The codes of failures in the client. All other codes come from the server. */
export type ClientErrorCode =
  /** The connection ended before the answer came. The server may or may not have seen the frame. */
  | 'disconnected'
  /** No answer came in time. */
  | 'timeout'
  /** Too many frames wait for a connection. */
  | 'queue_full'
  /** A frame waited too long for a connection and was never sent. */
  | 'queue_expired'
  /** A `for await` loop fell further behind its topic than its buffer holds. */
  | 'overflow'
  /** The handshake was refused, or no server answered. Browsers cannot tell these apart. */
  | 'refused'
  /** `close()` was called. */
  | 'closed'
  /** Browser events: the network is gone, the page is frozen, the page is left. */
  | 'offline'
  | 'freeze'
  | 'pagehide'
  /** The server ended the session. */
  | 'kicked'
  | 'revoked'
  | 'too_many_sessions';

/** A newer server may send more codes than these. */
export type SwitchboardErrorCode = ErrorCode | ClientErrorCode | (string & Record<never, never>);

/** Every error has a stable `code`. The message is for people and may change. */
export class SwitchboardError extends Error {
  override readonly name = 'SwitchboardError';
  readonly code: SwitchboardErrorCode;
  /** With `rate_limited`: when the same request may succeed. */
  declare readonly retryAfterMs?: number | undefined;

  constructor(code: SwitchboardErrorCode, message?: string, options?: { cause?: unknown }) {
    super(message || code, options);
    this.code = code;
  }
}

export function disconnected(detail?: string): SwitchboardError {
  return new SwitchboardError('disconnected', detail);
}

/** Whether the same request may succeed later. */
export function isPassing({ code }: SwitchboardError): boolean {
  return /^(internal|rate_limited|timeout)$/.test(code);
}

/** Reads the error in the `content` of an `error` or `closing` frame, or in the `error` of an HTTP answer. */
export function readError(value: unknown): SwitchboardError {
  const { retryAfterMs, code = 'internal', message = '' } = Object(value) as Record<string, unknown>;
  return Object.assign(new SwitchboardError(String(code), String(message)), { retryAfterMs });
}
