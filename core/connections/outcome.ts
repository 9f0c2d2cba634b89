import type { HttpResponse } from './http-response.ts';
import { DeadlinePassed } from './limits.ts';

/** Why a request failed. Safe to show to anyone, unlike the words of the platform. */
export type FailureReason =
  | 'forbidden'
  | 'bad_request'
  | 'service_error'
  | 'network'
  | 'credentials'
  | 'aborted'
  | 'deadline'
  | 'unexpected';

/** The connection is closed, or not yet open: API Gateway answers 410 until `$connect` has returned. */
export interface Gone {
  readonly outcome: 'gone';
}

/** 429: the account's request rate is used up, or this client's buffer is full (API model of PostToConnection). */
export interface Throttled {
  readonly outcome: 'throttled';
  readonly requestId: string | undefined;
}

/** 413: the message exceeds 128 KB. */
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

export type NotSent = Gone | Throttled | TooLarge | Failed;

/** `sent` means that API Gateway took the message, not that the client has it. */
export type PostOutcome = { readonly outcome: 'sent' } | NotSent;

export type ProbeOutcome = { readonly outcome: 'connected' } | Gone | Throttled | Failed;

export type DisconnectOutcome = { readonly outcome: 'closed' } | Gone | Throttled | Failed;

/** Whether the same post may succeed a little later. `undefined` stands for a post that was never made. */
export function isRetryable(outcome: PostOutcome | undefined): boolean {
  return outcome?.outcome === 'throttled' || (outcome?.outcome === 'failed' && outcome.isRetryable);
}

/** Why a recipient did not get a frame, in a word that anyone may read. */
export function reasonOf(outcome: PostOutcome | undefined): string {
  if (outcome === undefined) return 'deadline';
  return outcome.outcome === 'failed' ? outcome.reason : outcome.outcome;
}

/** These ids have no path of their own: a dot segment is resolved away, and half a surrogate pair has no encoding. */
export function isImpossibleId(connectionId: string): boolean {
  return /^\.{0,2}$|\p{Surrogate}/u.test(connectionId);
}

export const impossibleId: Failed = failed('bad_request', {
  cause: new Error('A connection id is well-formed text, not empty, and neither "." nor "..".'),
});

/**
 * The outcome that an answer of `@connections` stands for.
 * @param isClockCorrected whether the request was signed by a clock that has been set right since.
 */
export function outcomeOf(response: HttpResponse, isClockCorrected: boolean): 'ok' | NotSent {
  const { statusCode, headers } = response;
  if (statusCode < 300) return 'ok';
  const requestId = headers['x-amzn-requestid'];
  // The status decides, never the body: a proxy's page for people keeps the status and loses the rest.
  if (statusCode === 410) return { outcome: 'gone' };
  if (statusCode === 413) return { outcome: 'too_large', requestId };
  if (statusCode === 429) return { outcome: 'throttled', requestId };
  const details = { requestId, cause: errorOf(response) };
  if (statusCode === 400) return failed('bad_request', details);
  if (statusCode === 403) return failed('forbidden', { ...details, isRetryable: isClockCorrected });
  if (statusCode >= 500) return failed('service_error', { ...details, isRetryable: true });
  return failed('unexpected', details);
}

/** The outcome of a request that ended with an error instead of an answer. */
export function outcomeOfError(cause: unknown, signal: AbortSignal | undefined): Failed {
  if (signal?.aborted) {
    return failed(signal.reason instanceof DeadlinePassed ? 'deadline' : 'aborted', { cause });
  }
  return isNetworkError(cause)
    ? failed('network', { cause, isRetryable: true })
    : failed('unexpected', { cause });
}

export function credentialsFailed(cause: unknown): Failed {
  return failed('credentials', { cause, isRetryable: true });
}

function failed(
  reason: FailureReason,
  details: { cause: unknown; requestId?: string | undefined; isRetryable?: boolean },
): Failed {
  return { outcome: 'failed', reason, isRetryable: false, requestId: undefined, ...details };
}

/** The longest part of an answer's body that goes to the log. */
const maxLoggedCharacters = 1_000;

/** The platform's own words. */
function errorOf({ statusCode, headers, body }: HttpResponse): Error {
  const type = headers['x-amzn-errortype'] ?? 'no error type';
  // The text about a refused signature quotes the signed headers, and a session token is one of them.
  const isAboutSignature = /signature/i.test(type);
  const text = isAboutSignature ? 'not logged' : Buffer.from(body).toString().slice(0, maxLoggedCharacters);
  return new Error(`@connections answered ${statusCode} (${type}): ${text}`);
}

/** Errors of the system, of TLS and of reading an answer carry a `code`. */
function isNetworkError(error: unknown): boolean {
  return error instanceof Error && 'code' in error;
}
