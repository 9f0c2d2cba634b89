/**
 * Browsers send `Origin` with a WebSocket handshake, and do not hold the handshake to the same-origin policy. So the
 * server must. A client that sends no `Origin` is no browser, and could send any.
 */
export function isOriginAllowed(origin: string | undefined, allowed: ReadonlySet<string>): boolean {
  return origin === undefined || allowed.size === 0 || allowed.has(origin);
}
