/** A log: a channel of a tenant, named as targets are (`user:member:42`, `topic:orders`). */
export interface LogId {
  readonly tenant: string;
  readonly channel: string;
}

/** Partition of a channel's log. No name holds a `#`. */
export function channelKey({ tenant, channel }: LogId): string {
  return `CHANNEL#${tenant}#${channel}`;
}

export const headSortKey = 'HEAD';

/** How far the user has read; in the logs of users only. */
export const cursorSortKey = 'CURSOR';

/** Twelve digits, so that messages sort as they count. */
export function messageSortKey(offset: number): string {
  return `MSG#${String(offset).padStart(12, '0')}`;
}

export function offsetOf(sortKey: string): number {
  return Number(sortKey.slice('MSG#'.length));
}
