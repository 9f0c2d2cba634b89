import type { Clock } from '../clock.ts';
import { readClaims } from './claims.ts';
import { createJwtReader } from './jwt.ts';
import type { ReadSecretVersion } from './secret-keys.ts';
import type { TokenSettings } from './settings.ts';
import type { VerifyToken } from './verified-token.ts';
import { type CallVerifier, createFunctionReader } from './verifier-function.ts';

export interface TokenParts {
  /** Reads a version of the secret with this ARN. */
  readonly readSecret: (
    arn: string,
    ...version: Parameters<ReadSecretVersion>
  ) => ReturnType<ReadSecretVersion>;
  /** Calls the function with this ARN. */
  readonly callVerifier: (arn: string) => CallVerifier;
  readonly clock: Pick<Clock, 'now'>;
}

/** Verifies tokens, by a function of the stack's owner or as JWTs. The same checks apply to the claims of both. */
export function createVerifyToken(settings: TokenSettings, parts: TokenParts): VerifyToken {
  const { secret = '', verifier } = settings;
  const { clock } = parts;
  const read =
    verifier === undefined
      ? createJwtReader(settings, {
          clock,
          readSecretVersion: (version) => parts.readSecret(secret, version),
        })
      : createFunctionReader(parts.callVerifier(verifier));
  return async (token) => {
    const reading = await read(token);
    return reading.ok ? readClaims(reading.claims, settings, clock.now()) : reading;
  };
}
