/** Each of these may read or send as much as many pings do. docs/security.md has their costs. */
const heavyTypes: ReadonlySet<string | undefined> = new Set([
  ...['recover', 'refresh', 'subscribe'],
  ...['history', 'inbox-list', 'inbox-unread', 'inbox-mark-read'],
  ...['watch', 'unwatch'],
]);

/** What a frame counts in the rate limits. Text that is no frame counts 1, because its answer is a message too. */
export function unitsOf(type: string | undefined): number {
  return heavyTypes.has(type) ? maxUnits : 1;
}

/** A burst below this would refuse such a frame for ever. */
const maxUnits = 5;

/**
 * A handshake costs as much as 2 pings, or 5 if it ends an older session. It counts 1, because a user with many devices
 * connects them all at once after a fault of the network.
 */
export const handshakeUnits = 1;

/** A ticket is a request, two function calls and a write, and the handshake that it is for costs as much again. */
export const ticketUnits = maxUnits;
