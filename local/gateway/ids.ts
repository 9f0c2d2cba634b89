/** The source of ids. Tests pass their own bytes, so that ids repeat. */
export interface Ids {
  /** The id of a connection, message or request, in the form of API Gateway: `R1kmxc2VNjMCFIA=`. */
  next(): string;
  /** The value of `X-Amzn-Trace-Id` for a request of this time. */
  trace(epochMs: number): string;
}

export function createIds(randomBytes: (count: number) => Buffer): Ids {
  // 11 bytes become 15 letters and one `=`. These letters need no escape in a path or a log query.
  return {
    next: () => `${randomBytes(11).toString('base64url')}=`,
    trace: (epochMs) =>
      `Root=1-${Math.floor(epochMs / 1000).toString(16)}-${randomBytes(12).toString('hex')}`,
  };
}

/** Whether an id has the form of API Gateway's. A malformed id is a 400, an unknown one a 410. */
export function isConnectionId(id: string): boolean {
  return /^[A-Za-z0-9_-]{10,15}={1,2}$/.test(id);
}

/** `16/Mar/2025:00:46:22 +0000`: the `requestTime` of WebSocket events and the `time` of HTTP API events. */
export function requestTime(epochMs: number): string {
  const iso = new Date(epochMs).toISOString();
  const month = MONTHS[Number(iso.slice(5, 7)) - 1] ?? '';
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
