import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { createVerifyToken, type TokenParts } from '../../../core/auth/tokens.ts';
import type { TokenSettings } from '../../../core/auth/settings.ts';
import type { VerifyToken } from '../../../core/auth/verified-token.ts';
import { tokenSettings } from '../../token-settings.ts';

export const nowMs = Date.UTC(2026, 10, 20, 12);
export const nowSeconds = nowMs / 1000;
export const secret = 'a secret of at least thirty-two characters';
export const payload = { sub: '42', exp: nowSeconds + 60 };

/** A verifier with the default settings, one secret, and a clock that stands still. */
export function createVerifier(
  settings: Partial<TokenSettings> = {},
  parts: Partial<TokenParts> = {},
): VerifyToken {
  return createVerifyToken(
    { ...tokenSettings, ...settings },
    {
      readSecret: (_arn, version) => Promise.resolve(version === 'AWSCURRENT' ? secret : undefined),
      callVerifier: () => () => Promise.reject(new Error('No function verifies tokens here.')),
      clock: { now: () => nowMs },
      ...parts,
    },
  );
}

/** Claims of any kind: some of the tokens are wrong on purpose. */
export function sign(
  claims: Record<string, unknown>,
  key = secret,
  header = { alg: 'HS256' },
): Promise<string> {
  return signWith(claims, new TextEncoder().encode(key), header);
}

function signWith(
  claims: Record<string, unknown>,
  key: CryptoKey | Uint8Array,
  header: JWTHeaderParameters,
): Promise<string> {
  const wrongOnPurpose = claims as JWTPayload;
  return new SignJWT(wrongOnPurpose).setProtectedHeader(header).sign(key);
}

export interface SigningKey {
  /** The public half, as a key set holds it. */
  readonly jwk: JWK;
  readonly publicKey: CryptoKey;
  sign(claims: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>;
}

/** A pair of keys. `kid` may be absent from the key set and the tokens. */
export async function createSigningKey(kid: string | undefined, alg = 'RS256'): Promise<SigningKey> {
  const id = kid === undefined ? {} : { kid };
  const { publicKey, privateKey } = await generateKeyPair(alg);
  return {
    jwk: { ...(await exportJWK(publicKey)), ...id, alg, use: 'sig' },
    publicKey,
    sign: (claims, header) => signWith(claims, privateKey, { alg, ...id, ...header }),
  };
}
