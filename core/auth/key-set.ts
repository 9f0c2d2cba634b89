import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from 'jose';
import type { Clock } from '../clock.ts';
import { tokenCheckTimeoutMs } from '../timing.ts';

/** An unknown key id causes no more requests than one in this time. */
const refetchCooldownMs = 30_000;

/** A key that the issuer removed is forgotten after this. */
const lifetimeMs = 10 * 60_000;

/** An endpoint that failed is not asked again for this. Otherwise every handshake would wait for it. */
const failureCooldownMs = 5_000;

/** The public keys at a URL. A fault of the endpoint is no JOSEError, so it is not taken for one of the token. */
export function createKeySet(url: string, clock: Pick<Clock, 'now'>): JWTVerifyGetKey {
  const keySet = createRemoteJWKSet(new URL(url), {
    timeoutDuration: tokenCheckTimeoutMs,
    cooldownDuration: refetchCooldownMs,
    cacheMaxAge: lifetimeMs,
    [customFetch]: withPauseAfterFailure(clock),
  });
  return async (header, token) => {
    try {
      return await keySet(header, token);
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys)
        throw cause;
      throw new Error(`The keys of the token issuer at ${url} cannot be used: ${String(cause)}`, { cause });
    }
  };
}

function withPauseAfterFailure({ now }: Pick<Clock, 'now'>): FetchImplementation {
  let failed: { readonly fault: Error; readonly at: number } | undefined;
  return async (url, options) => {
    if (failed && now() - failed.at < failureCooldownMs) throw failed.fault;
    try {
      const response = await fetch(url, options);
      failed = response.ok ? undefined : { fault: new Error(`status ${response.status}`), at: now() };
      return response;
    } catch (cause) {
      failed = { fault: new Error('the last request failed', { cause }), at: now() };
      throw cause;
    }
  };
}
