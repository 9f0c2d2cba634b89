import type { ErrorCode } from '../protocol/errors.ts';

/** What fails on this side of the wire; every other code comes from the server. */
export type ClientErrorCode =
  /** The connection ended before the answer came: whether the server saw the frame is not known. */
  | 'disconnected'
  /** No answer in time. */
  | 'timeout'
  /** Too many frames wait for a connection. */
  | 'queue_full'
  /** A frame waited for a connection for too long, and was never sent. */
  | 'queue_expired'
  /** A `for await` loop fell behind its topic by more than the buffer holds. */
  | 'overflow'
  /** The handshake was refused, or nobody answered: browsers are not told which. */
  | 'refused'
  /** `close()` was called. */
  | 'closed'
  /** The events by which a browser says that the network is gone, or that the page is put to rest. */
  | 'offline'
  | 'freeze'
  | 'pagehide'
  /** The server ended the session. */
  | 'kicked'
  | 'revoked';

/** A newer server may know more codes than these. */
export type SwitchboardErrorCode = ErrorCode | ClientErrorCode | (string & Record<never, never>);

/** Everything that goes wrong has a stable `code`; the message is for people and may change. */
export class SwitchboardError extends Error {
  override readonly name = 'SwitchboardError';
  readonly code: SwitchboardErrorCode;

  constructor(code: SwitchboardErrorCode, message?: string, options?: { cause?: unknown }) {
    super(message || code, options);
    this.code = code;
  }
}

export function disconnected(detail?: string): SwitchboardError {
  return new SwitchboardError('disconnected', detail);
}

/** Whether the same request may succeed a little later. */
export function isPassing({ code }: SwitchboardError): boolean {
  return /^(internal|rate_limited|timeout)$/.test(code);
}

/** The error that `content` of an `error` or `closing` frame, or `error` of an HTTP answer, describes. */
export function readError(value: unknown): SwitchboardError {
  const { code = 'internal', message = '' } = Object(value) as { code?: unknown; message?: unknown };
  return new SwitchboardError(String(code), String(message));
}
