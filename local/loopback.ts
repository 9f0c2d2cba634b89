import type { IncomingHttpHeaders } from 'node:http';

/** The origin that a user allows is written wrongly. The message is one line for the user. */
export class OriginError extends Error {
  override readonly name = 'OriginError';
}

/** Reads origins as browsers send them: scheme, host and port. Not only pages have one: `capacitor://localhost`. */
export function readOrigins(texts: readonly string[]): ReadonlySet<string> {
  const wrong = texts.find((text) => !/^[a-z][a-z\d+.-]*:\/\/[^\s/,*]+$/i.test(text));
  if (wrong === undefined) return new Set(texts.map((text) => text.toLowerCase()));
  throw new OriginError(`must be an origin such as https://app.example.com, got ${JSON.stringify(wrong)}`);
}

/**
 * Why a request is refused before anything else looks at it; `undefined` if it is not. Listening on loopback keeps other
 * machines out, but not the pages that the developer's own browser has open. The keys of this cloud are public.
 */
export function refusalOf(
  { host = '', origin }: Pick<IncomingHttpHeaders, 'host' | 'origin'>,
  allowedOrigins: ReadonlySet<string>,
): string | undefined {
  // A page can rebind its own name to 127.0.0.1. Its requests are then of the same origin, but they carry that name.
  if (!isLoopback(host) && !isAws(host)) return 'The header Host must name this machine, such as 127.0.0.1.';
  // A browser names the page behind a WebSocket, and behind what changes something. No page can forge or hide that.
  if (origin === undefined || isLoopbackOrigin(origin) || allowedOrigins.has(origin.toLowerCase()))
    return undefined;
  return 'The header Origin names a page of another site. Allow its origin with --allow-origin.';
}

/** Browsers resolve every name under `localhost` to loopback: https://www.rfc-editor.org/rfc/rfc6761#section-6.3 */
function isLoopback(host: string): boolean {
  return /^(?:127\.0\.0\.1|\[::1\]|(?:[a-z\d-]+\.)*localhost)(?::\d+)?$/i.test(host);
}

function isLoopbackOrigin(origin: string): boolean {
  return /^https?:\/\//i.test(origin) && isLoopback(origin.replace(/^https?:\/\//i, ''));
}

/**
 * What a function sends to a host of AWS arrives here with that host (lambda/aws-hosts.mjs). Only AWS can point such a
 * name at an address, so no page can rebind it.
 */
function isAws(host: string): boolean {
  return /^[\w.-]+\.(?:amazonaws\.com(?:\.cn)?|api\.aws)(?::\d+)?$/i.test(host);
}
