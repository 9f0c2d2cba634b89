import { authorize, type Principal } from '../iam/authorize.ts';
import { asRecord, type JsonRecord, parseJson } from '../json.ts';
import type { KeyRing, VerificationFailure } from '../sigv4/key-ring.ts';
import type { HttpRequest } from '../sigv4/request.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer;
  /** For the log alone. */
  readonly detail?: string | undefined;
}

/** A step of a call: a value to go on with, or the reply that ends the call. */
export type Step<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reply: Reply };

/** An answer of the AWS JSON protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html */
export function jsonReply(body: unknown, status = 200): Reply {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: JSON.stringify(body) };
}

export function errorReply(
  status: number,
  code: string,
  message?: string,
  namespace = 'com.amazon.coral.service',
): Reply {
  return jsonReply({ __type: `${namespace}#${code}`, ...(message === undefined ? {} : { message }) }, status);
}

/** The caller of a JSON-protocol service, or the refusal of a bad signature. */
export function callerOf(keys: KeyRing, request: HttpRequest, service: string, now: Date): Step<Principal> {
  const verification = keys.verify(request, service, now);
  if (verification.ok) return { ok: true, value: verification.principal };
  return { ok: false, reply: errorReply(400, verificationCodes[verification.reason], verification.message) };
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html */
export const verificationCodes: Readonly<Record<VerificationFailure, string>> = {
  missing: 'MissingAuthenticationTokenException',
  malformed: 'IncompleteSignatureException',
  unknown_key: 'UnrecognizedClientException',
  expired: 'InvalidSignatureException',
  mismatch: 'InvalidSignatureException',
};

/**
 * The denial for the first resource that the caller has no grant for; `undefined` if all are granted. `partitionKeys` are
 * those of a call of DynamoDB.
 */
export function refusal(
  principal: Principal,
  action: string,
  resources: readonly string[],
  partitionKeys?: readonly string[],
): Reply | undefined {
  for (const resource of resources) {
    const decision = authorize(principal, action, resource, partitionKeys);
    // `Message` has a capital M, unlike in other errors of this protocol.
    if (!decision.allowed) {
      return jsonReply(
        { __type: 'com.amazon.coral.service#AccessDeniedException', Message: decision.message },
        400,
      );
    }
  }
  return undefined;
}

/** The body of a JSON-protocol call, or the refusal of a body that is not JSON. */
export function inputOf(request: HttpRequest): Step<JsonRecord> {
  const parsed = parseJson(request.body.toString('utf8'));
  if (parsed === undefined) return { ok: false, reply: errorReply(400, 'SerializationException') };
  return { ok: true, value: asRecord(parsed.value) };
}
