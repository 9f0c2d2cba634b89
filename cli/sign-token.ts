import { existsSync, readFileSync } from 'node:fs';
import { SignJWT } from 'jose';
import * as z from 'zod/mini';
import { tokenClaims } from '../lib/settings/token-claims.ts';
import { CommandError } from './command-line.ts';

export interface TokenRequest {
  readonly user: string;
  readonly type: string;
  readonly tenant: string;
  /** Patterns of the topics this user may subscribe to. */
  readonly topics: readonly string[];
  /** Negative for a token that has expired already. A token lives no longer than `maxTokenLifetimeSeconds`. */
  readonly ttlSeconds: number;
  /** Further claims. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

const tokenSettings = z.object({
  tokenClaims: z._default(tokenClaims, z.parse(tokenClaims, {})),
  maxTokenLifetimeSeconds: z._default(z.coerce.number(), 2_592_000),
});
const defaults = z.parse(tokenSettings, {});
const app = z.object({ context: z._default(tokenSettings, defaults) });

/** A token for the stacks whose token secret this is. No other stack accepts it. */
export function signToken(
  secret: string,
  { user, type, tenant, topics, ttlSeconds, claims: further }: TokenRequest,
): Promise<string> {
  const { tokenClaims: claims, maxTokenLifetimeSeconds } = readTokenSettings();
  const payload = {
    ...further,
    [claims.userId]: user,
    [claims.userType]: type,
    [claims.tenant]: tenant,
    ...(topics.length > 0 && { [claims.topics]: topics }),
  };
  const nowSeconds = Math.floor(Date.now() / 1000);
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + Math.min(ttlSeconds, maxTokenLifetimeSeconds))
    .sign(new TextEncoder().encode(secret));
}

/** The settings of tokens of the app in the working directory. */
function readTokenSettings(): z.output<typeof tokenSettings> {
  if (!existsSync('cdk.json')) return defaults;
  const read = z.safeParse(app, readJson('cdk.json'));
  if (read.success) return read.data.context;
  throw new CommandError('The setting tokenClaims or maxTokenLifetimeSeconds in cdk.json is wrong.', {
    cause: read.error,
  });
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CommandError(`${file} is not JSON.`, { cause });
  }
}
