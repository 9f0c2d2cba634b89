import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import { keyAlgorithms, secretAlgorithms } from './algorithms.ts';
import { clockToleranceSeconds } from './claims.ts';
import { createKeySet } from './key-set.ts';
import { createSecretKeys, type ReadSecretVersion } from './secret-keys.ts';
import type { KeySetSettings, TokenSettings } from './settings.ts';
import type { ReadToken } from './verified-token.ts';

export interface JwtParts {
  readonly readSecretVersion: ReadSecretVersion;
  readonly clock: Pick<Clock, 'now'>;
}

type Verify = (jwt: string) => Promise<JWTPayload>;

/**
 * Verifies JWTs. The algorithm in the header decides whether the secret or a key set may verify a token, so a public
 * key never serves as a secret. Keys and addresses in the header are not read.
 */
export function createJwtReader(
  { secret, keySets }: Pick<TokenSettings, 'secret' | 'keySets'>,
  parts: JwtParts,
): ReadToken {
  const bySecret = secret === undefined ? undefined : verifyBySecret(parts);
  const byIssuer = new Map(keySets.map((keySet) => [keySet.issuer, verifyByKeySet(keySet, parts)]));

  return async (jwt) => {
    const said = decode(jwt);
    if (said === undefined) return { ok: false, reason: 'it is no JWT' };
    const isBySecret = secretAlgorithms.some((alg) => alg === said.alg);
    const verify = isBySecret ? bySecret : byIssuer.get(said.iss ?? '');
    if (verify === undefined) {
      return {
        ok: false,
        reason: isBySecret ? 'no secret verifies tokens here' : 'alg or iss is not accepted',
      };
    }
    try {
      return { ok: true, claims: await verify(jwt) };
    } catch (cause) {
      if (cause instanceof errors.JOSEError) return { ok: false, reason: reasonOf(cause) };
      throw cause;
    }
  };
}

/** What a token says about itself, before it is verified. */
function decode(jwt: string): { alg?: string | undefined; iss?: string | undefined } | undefined {
  try {
    return { alg: decodeProtectedHeader(jwt).alg, iss: decodeJwt(jwt).iss };
  } catch (cause) {
    // These are the errors of the two for text that is no JWT.
    if (cause instanceof TypeError || cause instanceof errors.JWTInvalid) return undefined;
    throw cause;
  }
}

function verifyBySecret({ readSecretVersion, clock }: JwtParts): Verify {
  const keys = createSecretKeys(readSecretVersion, clock);

  async function tryEach(jwt: string, candidates: readonly Uint8Array[]): Promise<JWTPayload | undefined> {
    for (const key of candidates) {
      try {
        const { payload } = await jwtVerify(jwt, key, {
          algorithms: [...secretAlgorithms],
          ...atPresent(clock),
        });
        return payload;
      } catch (cause) {
        if (!(cause instanceof errors.JWSSignatureVerificationFailed)) throw cause;
      }
    }
    return undefined;
  }

  return async (jwt) => {
    const payload = (await tryEach(jwt, await keys.known())) ?? (await tryEach(jwt, await keys.reread()));
    if (payload === undefined) throw new errors.JWSSignatureVerificationFailed();
    return payload;
  };
}

function verifyByKeySet(settings: KeySetSettings, { clock }: JwtParts): Verify {
  const { jwksUrl, issuer, audience, algorithms = [...keyAlgorithms] } = settings;
  const keySet = createKeySet(jwksUrl, clock);
  return async (jwt) => {
    const { payload } = await jwtVerify(jwt, keySet, {
      issuer,
      audience,
      algorithms,
      ...atPresent(clock),
    });
    return payload;
  };
}

/** The tolerance is for `nbf`. `readClaims` allows none for `exp`. */
function atPresent(clock: Pick<Clock, 'now'>) {
  return { currentDate: new Date(clock.now()), clockTolerance: clockToleranceSeconds };
}

/** jose's messages may quote headers of the token, which anyone can write. Its codes and claim names are safe to log. */
function reasonOf(error: errors.JOSEError): string {
  const isAboutClaim = error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired;
  return isAboutClaim ? `${error.code}: ${error.claim} (${error.reason})` : error.code;
}
