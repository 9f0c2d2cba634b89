import type { Listener } from './listeners.ts';
import type { ChannelLog } from './logs.ts';
import type { Acknowledged } from './publishers.ts';

/** What was not as promised; the first of each kind are told. */
export interface Finding {
  /** In a log, and not given to a client of its channel. */
  readonly lost: number;
  /** Given to a client twice. */
  readonly doubled: number;
  /** Given to a client after a later one of its channel. */
  readonly outOfOrder: number;
  /** A client said that it could not recover something. */
  readonly lostEvents: number;
  /** Answered as published, and not at its place in the log. */
  readonly notStored: number;
  /** Published once, and twice in the log. */
  readonly storedTwice: number;
  /** Offsets of the logs that no message has. */
  readonly holes: number;
  readonly examples: readonly string[];
}

const maxExamples = 5;

/** Compares what clients were given, and publishers were told, with what the logs hold. */
export function compare(
  logs: readonly ChannelLog[],
  listeners: readonly Listener[],
  acknowledged: readonly Acknowledged[],
): Finding {
  const examples: string[] = [];
  const counts = {
    lost: 0,
    doubled: 0,
    outOfOrder: 0,
    lostEvents: 0,
    notStored: 0,
    storedTwice: 0,
    holes: 0,
  };
  const find = (kind: keyof typeof counts, what: string): void => {
    counts[kind] += 1;
    if (examples.length < maxExamples) examples.push(`${kind}: ${what}`);
  };

  const byChannel = new Map(logs.map((log) => [log.channel, log]));
  for (const { name, given, lostEvents } of listeners) {
    for (const event of lostEvents) find('lostEvents', `${name}, ${event}`);
    for (const [channel, offsets] of given) {
      const seen = new Set<number>();
      let last = 0;
      for (const offset of offsets) {
        if (seen.has(offset)) find('doubled', `${name}, ${channel} ${offset}`);
        else if (offset < last) find('outOfOrder', `${name}, ${channel} ${offset} after ${last}`);
        seen.add(offset);
        last = Math.max(last, offset);
      }
      const missed = byChannel.get(channel)?.offsets.filter((offset) => !seen.has(offset)) ?? [];
      for (const offset of missed) find('lost', `${name}, ${channel} ${offset}`);
    }
  }
  for (const { channel, messageId, offset } of acknowledged) {
    if (byChannel.get(channel)?.messageIds.get(offset) !== messageId)
      find('notStored', `${channel} ${offset} ${messageId}`);
  }
  for (const { channel, messageIds, holes } of logs) {
    counts.holes += holes;
    const twice = messageIds.size - new Set(messageIds.values()).size;
    for (let each = 0; each < twice; each += 1) find('storedTwice', channel);
  }
  return { ...counts, examples };
}
