import { readFileSync } from 'node:fs';
import { SignJWT } from 'jose';
import * as z from 'zod/mini';
import { tokenClaims } from '../lib/token-claims.ts';
import { generatedSecret } from '../local/services/secrets.ts';

export interface TokenRequest {
  readonly user: string;
  readonly type: string;
  readonly tenant: string;
  /** Patterns of the topics this user may subscribe to. */
  readonly topics: readonly string[];
  /** May be negative: a token that has expired already, for tests. */
  readonly ttlSeconds: number;
}

/** Length of the secret that lib/token-secret.ts asks Secrets Manager for. */
const secretLength = 64;

const settings = z.object({
  context: z.object({ tokenClaims: z._default(tokenClaims, z.parse(tokenClaims, {})) }),
});

/** A token for the stack that runs on this machine; no other stack takes it. */
export function signToken({ user, type, tenant, topics, ttlSeconds }: TokenRequest): Promise<string> {
  const cdkJson: unknown = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'));
  const claims = z.parse(settings, cdkJson).context.tokenClaims;
  const payload = {
    [claims.userId]: user,
    [claims.userType]: type,
    [claims.tenant]: tenant,
    ...(topics.length > 0 && { [claims.topics]: topics }),
  };
  const nowSeconds = Math.floor(Date.now() / 1000);
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ttlSeconds)
    .sign(new TextEncoder().encode(generatedSecret(secretLength)));
}
