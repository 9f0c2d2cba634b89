import { SwitchboardError } from './errors.ts';
import { readJson } from './frames.ts';

/** A JWT, or a function that gets a new one; it is called before every connection. */
export type TokenSource = string | (() => string | Promise<string>);

export type TokenReading =
  | { readonly token: string }
  /** The code `forbidden` says that asking again is pointless. */
  | { readonly error: SwitchboardError };

export async function readToken(source: TokenSource): Promise<TokenReading> {
  try {
    return { token: typeof source === 'string' ? source : await source() };
  } catch (cause) {
    const { code } = Object(cause) as { code?: unknown };
    const known = code === 'forbidden' ? 'forbidden' : 'unauthorized';
    return { error: new SwitchboardError(known, `No token: ${String(cause)}`, { cause }) };
  }
}

/** For how long a JWT is still good, in ms; NaN for what is none. It is read, not verified: only the server can do that. */
export function readLifetimeMs(token: string, nowMs: number): number {
  const [, payload = ''] = token.split('.');
  const claims = readJson(payload, (text) => atob(text.replace(/-/g, '+').replace(/_/g, '/')));
  const { exp, iat = 0 } = Object(claims) as { exp?: unknown; iat?: unknown };
  // Never more than it had when it was made: this clock may be behind.
  return Math.min(Number(exp) * 1000 - nowMs, (Number(exp) - Number(iat)) * 1000);
}
