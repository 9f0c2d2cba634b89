import { errors, jwtVerify } from 'jose';
import * as z from 'zod/mini';
import { defaultTenant, defaultUserType, name, topicPattern } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { TokenClaims } from './claims.ts';
import type { TokenVerdict } from './verified-token.ts';

export interface TokenOptions {
  /** The HS256 secret, as text. */
  readonly secret: string;
  readonly claims: TokenClaims;
  readonly clock: Pick<Clock, 'now'>;
}

const topicPatterns = z.array(topicPattern);

/** The latest time that a Date can hold. Some issuers write an `exp` far beyond it, which means "for ever". */
const latestTime = 8.64e15;

/** Verifies a JWT. Only HS256 is accepted, which rules out `alg: none` and key confusion. */
export async function verifyToken(
  jwt: string,
  { secret, claims, clock }: TokenOptions,
): Promise<TokenVerdict> {
  try {
    const { payload } = await jwtVerify(jwt, new TextEncoder().encode(secret), {
      algorithms: ['HS256'],
      requiredClaims: ['exp', claims.userId],
      currentDate: new Date(clock.now()),
    });
    const read = z.safeParse(tokenPayload(claims), payload);
    if (!read.success) {
      return {
        ok: false,
        reason: `claim ${read.error.issues.map(({ path }) => path.join('.')).join(', ')} is invalid`,
      };
    }
    const value = (claim: string) => read.data[claim];
    return {
      ok: true,
      token: {
        identity: {
          tenant: (value(claims.tenant) as string | undefined) ?? defaultTenant,
          userType: (value(claims.userType) as string | undefined) ?? defaultUserType,
          userId: value(claims.userId) as string,
        },
        issuedAt: payload.iat === undefined ? undefined : payload.iat * 1000,
        expiresAt: Math.min((payload.exp ?? 0) * 1000, latestTime),
        rights: { topics: (value(claims.topics) as string[] | undefined) ?? [], watch: [] },
        claims: {},
      },
    };
  } catch (cause) {
    if (cause instanceof errors.JOSEError) return { ok: false, reason: reasonOf(cause) };
    throw cause;
  }
}

/** jose's messages may quote headers of the token, which anyone can write. Its codes and claim names are safe to log. */
function reasonOf(error: errors.JOSEError): string {
  const isAboutClaim = error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired;
  return isAboutClaim ? `${error.code}: ${error.claim} (${error.reason})` : error.code;
}

function tokenPayload(claims: TokenClaims) {
  return z.looseObject({
    [claims.userId]: name,
    [claims.userType]: z.optional(name),
    [claims.tenant]: z.optional(name),
    [claims.topics]: z.optional(topicPatterns),
  });
}
