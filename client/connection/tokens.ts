import { SwitchboardError } from '../errors.ts';
import { readJson } from '../frames.ts';

/** A JWT, or a function that returns a new one. The function is called before every connection. */
export type TokenSource = string | (() => string | Promise<string>);

export type TokenReading =
  | { readonly token: string; readonly error?: undefined }
  /** The code `forbidden` means that the token function must not be called again. */
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

/** How long a JWT stays valid, in ms; NaN if the token is not a JWT. Only the server can verify the token. */
export function readLifetimeMs(token: string, nowMs: number): number {
  const [, payload = ''] = token.split('.');
  const claims = readJson(payload, (text) => atob(text.replace(/-/g, '+').replace(/_/g, '/')));
  const { exp = NaN, iat = 0 } = Object(claims) as { exp?: number; iat?: number };
  // Never more than its whole lifetime: this clock may be behind.
  return Math.min(exp * 1000 - nowMs, (exp - iat) * 1000);
}
