import * as z from 'zod/mini';
import type { VerifiedToken } from '../../core/auth/verified-token.ts';
import { contentAs } from '../../core/content-form.ts';

/**
 * The authorizer returns this, and API Gateway repeats it in every later event of the connection. All values are
 * strings: numbers and booleans arrive as strings, and a list or an object fails the handshake (API Gateway, output of
 * a Lambda authorizer). A connection keeps its context when a new version is deployed, so a field that an earlier
 * version did not write is optional.
 */
export interface AuthorizerContext {
  readonly tenant: string;
  readonly userType: string;
  readonly userId: string;
  /** Epoch milliseconds. */
  readonly tokenExpiresAt: string;
  /** Epoch milliseconds. Absent: the token does not say it. */
  readonly tokenIssuedAt?: string;
  /** Patterns, separated by spaces. No pattern holds a space. */
  readonly topics: string;
  /** JSON: a list of patterns. Absent: every type. */
  readonly send?: string;
  /** JSON: a list of patterns. Absent: none. */
  readonly watch?: string;
  /** JSON: the claims that listeners see. Absent: none. */
  readonly claims?: string;
  /** `text` or `json`. Absent: the session has no form of its own. */
  readonly contentAs?: string;
}

const patterns = z.array(z.string());
const claimTexts = z.record(z.string(), z.string());

export function authorizerContext(token: VerifiedToken): AuthorizerContext & Record<string, string> {
  const { tenant, userType, userId } = token.identity;
  const { topics, send, watch } = token.rights;
  return {
    tenant,
    userType,
    userId,
    tokenExpiresAt: String(token.expiresAt),
    ...(token.issuedAt !== undefined && { tokenIssuedAt: String(token.issuedAt) }),
    topics: topics.join(' '),
    ...(send && { send: JSON.stringify(send) }),
    ...(watch.length > 0 && { watch: JSON.stringify(watch) }),
    ...(Object.keys(token.claims).length > 0 && { claims: JSON.stringify(token.claims) }),
    ...(token.contentAs && { contentAs: token.contentAs }),
  };
}

/** The token behind a connection or a request. */
export function readContext(context: AuthorizerContext): VerifiedToken {
  const { tenant, userType, userId, tokenExpiresAt, tokenIssuedAt, topics, send, watch, claims } = context;
  return {
    identity: { tenant, userType, userId },
    issuedAt: tokenIssuedAt === undefined ? undefined : Number(tokenIssuedAt),
    expiresAt: Number(tokenExpiresAt),
    rights: {
      topics: topics === '' ? [] : topics.split(' '),
      ...(send !== undefined && { send: z.parse(patterns, JSON.parse(send)) }),
      watch: watch === undefined ? [] : z.parse(patterns, JSON.parse(watch)),
    },
    claims: claims === undefined ? {} : z.parse(claimTexts, JSON.parse(claims)),
    contentAs: z.parse(z.optional(contentAs), context.contentAs),
  };
}
