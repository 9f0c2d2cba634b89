import { DeadlinePassed } from './limits.ts';

/** Why a request failed; safe to show to anyone, unlike what the SDK or the platform says. */
export type FailureReason =
  | 'forbidden'
  | 'bad_request'
  | 'service_error'
  | 'network'
  | 'credentials'
  | 'aborted'
  | 'deadline'
  | 'unexpected';

/** The connection is gone (or not yet there: a post made before `$connect` has returned is answered 410 as well). */
export interface Gone {
  readonly outcome: 'gone';
}

/** 429: the account's request rate, or this one client's buffer is full (API model of PostToConnection). */
export interface Throttled {
  readonly outcome: 'throttled';
  readonly requestId: string | undefined;
}

/** 413: more than the 128 KB a message may have. */
export interface TooLarge {
  readonly outcome: 'too_large';
  readonly requestId: string | undefined;
}

export interface Failed {
  readonly outcome: 'failed';
  readonly reason: FailureReason;
  /** Whether the same request may succeed a little later. */
  readonly isRetryable: boolean;
  readonly requestId: string | undefined;
  /** For the log only. */
  readonly cause: unknown;
}

export type Refusal = Gone | Throttled | TooLarge | Failed;

/** `sent` means that API Gateway took the message, not that the client has it. */
export type PostOutcome = { readonly outcome: 'sent' } | Refusal;

export type DisconnectOutcome = { readonly outcome: 'closed' } | Gone | Throttled | Failed;

export const gone: Gone = { outcome: 'gone' };

/** What no connection is called: a path would resolve it to something else, or cannot hold it. */
export const noConnectionId: Failed = {
  outcome: 'failed',
  reason: 'bad_request',
  isRetryable: false,
  requestId: undefined,
  cause: new Error('A connection id is well-formed text, not empty, and neither "." nor "..".'),
};

/** What an error of the SDK, or of the network beneath it, means for the caller. */
export function refusalOf(cause: unknown, signal: AbortSignal | undefined): Refusal {
  const { httpStatusCode: status, requestId } = metadataOf(cause);
  const failed = (reason: FailureReason, isRetryable: boolean): Failed => ({
    outcome: 'failed',
    reason,
    isRetryable,
    requestId,
    cause,
  });
  if (signal?.aborted) return failed(signal.reason instanceof DeadlinePassed ? 'deadline' : 'aborted', false);
  // The status decides, never the error's name: an error body the SDK cannot read loses the name, not the status.
  switch (status) {
    case undefined:
      return isNetworkError(cause) ? failed('network', true) : failed('unexpected', false);
    case 400:
      return failed('bad_request', false);
    case 403:
      return failed('forbidden', false);
    case 410:
      return gone;
    case 413:
      return { outcome: 'too_large', requestId };
    case 429:
      return { outcome: 'throttled', requestId };
    default:
      return status >= 500 ? failed('service_error', true) : failed('unexpected', false);
  }
}

export function credentialsFailed(cause: unknown): Failed {
  return { outcome: 'failed', reason: 'credentials', isRetryable: true, requestId: undefined, cause };
}

/** Why a frame was not delivered, in a word that anyone may read. No outcome: the deadline passed before the post. */
export function reasonOf(outcome: PostOutcome | undefined): string {
  if (outcome === undefined) return 'deadline';
  return outcome.outcome === 'failed' ? outcome.reason : outcome.outcome;
}

/** Whether the same post may succeed a little later. */
export function isRetryable(outcome: PostOutcome | undefined): boolean {
  return outcome?.outcome === 'throttled' || (outcome?.outcome === 'failed' && outcome.isRetryable);
}

/** The SDK adds `$metadata` to whatever it throws about an answer. */
function metadataOf(error: unknown): { httpStatusCode?: number; requestId: string | undefined } {
  const metadata = property(error, '$metadata');
  const status = property(metadata, 'httpStatusCode');
  const requestId = property(metadata, 'requestId');
  return {
    ...(typeof status === 'number' && { httpStatusCode: status }),
    requestId: typeof requestId === 'string' ? requestId : undefined,
  };
}

/** System and TLS errors carry a `code`; an answer that is no HTTP carries our name for it. */
function isNetworkError(error: unknown): boolean {
  return typeof property(error, 'code') === 'string' || property(error, 'name') === 'MalformedAnswer';
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
