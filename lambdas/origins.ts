/** The allow-list from its comma-separated text; empty allows every origin. */
export function originsOf(list: string): ReadonlySet<string> {
  return new Set(list.split(',').filter((origin) => origin !== ''));
}

/**
 * Browsers always send `Origin` with a WebSocket handshake and do not hold it to the same-origin policy, so the
 * server must. What sends none is no browser, and could send any.
 */
export function isOriginAllowed(origin: string | undefined, allowed: ReadonlySet<string>): boolean {
  return origin === undefined || allowed.size === 0 || allowed.has(origin);
}
