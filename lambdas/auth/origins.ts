/**
 * Browsers send `Origin` with a WebSocket handshake, but do not apply the same-origin policy to it. So the server
 * checks the Origin. A client that sends none is not a browser, and could send any.
 */
export function isOriginAllowed(origin: string | undefined, allowed: ReadonlySet<string>): boolean {
  return origin === undefined || allowed.size === 0 || allowed.has(origin);
}
