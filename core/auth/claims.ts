import * as z from 'zod/mini';
import { defaultTenant, defaultUserType, maxTypeLength, name, topicPattern } from '../../protocol/index.ts';
import { contentAs } from '../content-form.ts';
import type { TokenSettings } from './settings.ts';
import type { Claims, Rights, TokenVerdict } from './verified-token.ts';

export type ClaimSettings = Pick<
  TokenSettings,
  'names' | 'claims' | 'textContentFor' | 'maxLifetimeSeconds' | 'requireTenant'
>;

/** The issuer's clock may be ahead of ours by this. Some issuers set `nbf` to the time of issue. */
export const clockToleranceSeconds = 5;

/** Seconds reach this in the year 5138. Today's time in milliseconds is far above it. */
const largestSeconds = 1e11;

/** The carried claims as JSON, in bytes. They are in every event of the connection. */
const maxCarriedBytes = 1024;

/** The rights as JSON, in bytes. The result of an authorizer has at most 8 KB (quotas for WebSocket APIs). */
const maxRightsBytes = 4096;

/** Checks the claims of a token whose origin is verified. */
export function readClaims(payload: unknown, settings: ClaimSettings, nowMs: number): TokenVerdict {
  const object = z.safeParse(z.record(z.string(), z.unknown()), payload);
  if (!object.success) return refused('the claims are no object');
  const claims = new Map(Object.entries(object.data));
  const names: Readonly<Record<string, string>> = settings.names;
  const named = Object.entries(names).map(([key, claim]) => [key, claims.get(claim)] as const);
  const read = z.safeParse(known, { ...times(claims), ...Object.fromEntries(named) });
  if (!read.success) {
    const paths = read.error.issues.map(({ path: [key, ...rest] }) => {
      return [names[String(key)] ?? key, ...rest].join('.');
    });
    return refused(`claim ${paths.join(', ')} is invalid`);
  }

  const { exp, iat, tenant, userType = defaultUserType, userId, topics = [], send, watch = [] } = read.data;
  const fault = timeFault(read.data, settings.maxLifetimeSeconds, nowMs / 1000);
  if (fault !== undefined) return refused(fault);
  if (tenant === undefined && settings.requireTenant)
    return refused(`claim ${settings.names.tenant} is missing`);
  const rights: Rights = { topics, ...(send && { send }), watch };
  if (bytesOf(rights) > maxRightsBytes)
    return refused(`topics, send and watch take over ${maxRightsBytes} bytes`);
  const carried = carry(claims, settings.claims);
  if (bytesOf(carried) > maxCarriedBytes)
    return refused(`the carried claims take over ${maxCarriedBytes} bytes`);
  const ofType = settings.textContentFor.includes(userType) ? 'text' : undefined;
  return {
    ok: true,
    token: {
      identity: { tenant: tenant ?? defaultTenant, userType, userId },
      issuedAt: iat === undefined ? undefined : iat * 1000,
      expiresAt: exp * 1000,
      rights,
      claims: carried,
      contentAs: read.data.contentAs ?? ofType,
    },
  };
}

/** Databases number users and tenants. Larger integers than these lose digits in JSON. */
const nameOrNumber = z.union([name, z.pipe(z.int(), z.transform(String))]);

/** A list, or text with spaces between the patterns: attributes of some identity providers hold only text. */
function patterns(pattern: z.ZodMiniString) {
  const split = (given: unknown) =>
    typeof given === 'string' ? given.split(' ').filter((part) => part !== '') : given;
  return z.optional(z.pipe(z.transform(split), z.array(pattern)));
}

const typePattern = z.string().check(z.minLength(1), z.maxLength(maxTypeLength));
/** `<type>:<id>` of users, or a topic. */
const watchPattern = z.string().check(z.regex(/^[A-Za-z0-9._@+/*:-]{1,257}$/));

const known = z.object({
  exp: z.number(),
  iat: z.optional(z.number()),
  nbf: z.optional(z.number()),
  userId: nameOrNumber,
  userType: z.optional(nameOrNumber),
  tenant: z.optional(nameOrNumber),
  topics: patterns(topicPattern),
  send: patterns(typePattern),
  watch: patterns(watchPattern),
  contentAs: z.optional(contentAs),
});

function times(claims: ReadonlyMap<string, unknown>) {
  return { exp: claims.get('exp'), iat: claims.get('iat'), nbf: claims.get('nbf') };
}

interface Times {
  readonly exp: number;
  readonly iat?: number | undefined;
  readonly nbf?: number | undefined;
}

function timeFault({ exp, iat, nbf }: Times, maxLifetime: number, now: number): string | undefined {
  if (exp > largestSeconds) return 'exp is too large: it must be in seconds, not milliseconds';
  if (exp <= now) return 'exp has passed';
  if (nbf !== undefined && nbf > now + clockToleranceSeconds) return 'nbf is in the future';
  if (iat !== undefined && iat > now + clockToleranceSeconds) return 'iat is in the future';
  const issued = Math.min(iat ?? now, now);
  if (exp - issued > maxLifetime + clockToleranceSeconds) {
    return `exp is more than maxTokenLifetimeSeconds (${maxLifetime}) away`;
  }
  return undefined;
}

/** Text stays as it is. Any other value becomes its JSON text. */
function carry(claims: ReadonlyMap<string, unknown>, names: readonly string[]): Claims {
  const carried = names.flatMap((claim) => {
    const value = claims.get(claim);
    if (value === undefined) return [];
    return [[claim, typeof value === 'string' ? value : JSON.stringify(value)] as const];
  });
  return Object.fromEntries(carried);
}

function bytesOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function refused(reason: string): TokenVerdict {
  return { ok: false, reason };
}
