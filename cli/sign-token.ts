import { existsSync, readFileSync } from 'node:fs';
import { SignJWT } from 'jose';
import * as z from 'zod/mini';
import { tokenClaims } from '../lib/token-claims.ts';

export interface TokenRequest {
  readonly user: string;
  readonly type: string;
  readonly tenant: string;
  /** Patterns of the topics this user may subscribe to. */
  readonly topics: readonly string[];
  /** Negative for a token that has expired already. */
  readonly ttlSeconds: number;
}

/** The token secret of every stack on the laptop cloud: 64 characters, as lib/token-secret.ts asks for. */
const localSecret = 'local'.repeat(13).slice(0, 64);

const defaultClaims = z.parse(tokenClaims, {});
const appSettings = z.object({
  context: z._default(z.object({ tokenClaims: z._default(tokenClaims, defaultClaims) }), {
    tokenClaims: defaultClaims,
  }),
});

/** A token for the stack that runs on this machine. No other stack accepts it. */
export function signToken({ user, type, tenant, topics, ttlSeconds }: TokenRequest): Promise<string> {
  const claims = readClaimNames();
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
    .sign(new TextEncoder().encode(localSecret));
}

/** The setting `tokenClaims` of the app in the working directory. */
function readClaimNames(): z.output<typeof tokenClaims> {
  if (!existsSync('cdk.json')) return defaultClaims;
  const cdkJson: unknown = JSON.parse(readFileSync('cdk.json', 'utf8'));
  return z.parse(appSettings, cdkJson).context.tokenClaims;
}
