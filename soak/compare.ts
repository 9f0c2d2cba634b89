import { isDeepStrictEqual } from 'node:util';
import type { Frame } from '../client/index.ts';
import type { ChannelLog } from './logs.ts';
import { messageType, type Published } from './messages.ts';
import type { Subscriber } from './subscribers.ts';

/** How often each promise was broken. Every count of a sound run is 0. */
export interface Findings {
  /** A log holds the message, and a subscriber of its channel never got it. */
  readonly lost: number;
  /** A subscriber got the message twice. */
  readonly doubled: number;
  /** A subscriber got the message after a later one of the same channel. */
  readonly outOfOrder: number;
  /** A client reported a gap that it could not recover. */
  readonly lostEvents: number;
  /** A client got a foreign frame: of another channel, of another type, without a channel or without an offset. */
  readonly stray: number;
  /** A subscriber got a content, `messageId` or channel that differs from the published or stored one. */
  readonly altered: number;
  /** The answer of a publish names an offset at which the log holds another message or none. */
  readonly notStored: number;
  /** The logs hold a message twice. */
  readonly storedTwice: number;
  /** A log holds a content, `messageId` or channel that differs from the published one. */
  readonly storedAltered: number;
}

export interface Comparison {
  readonly findings: Findings;
  /** The first findings of each kind, as text. */
  readonly examples: readonly string[];
}

/** The results of a run. */
export interface Recording {
  readonly published: readonly Published[];
  readonly logs: readonly ChannelLog[];
  readonly subscribers: readonly Subscriber[];
}

const maxExamplesOfAKind = 3;

/** Compares the messages of every subscriber with the published messages and with the logs. */
export function compare({ published, logs, subscribers }: Recording): Comparison {
  const { findings, examples, find } = createTally();
  const publishedById = new Map(published.map((message) => [message.messageId, message]));
  const logByChannel = new Map(logs.map((log) => [log.channel, log]));

  function isAsPublished(frame: Frame, channel: string): boolean {
    const original = publishedById.get(frame.messageId ?? '');
    if (original?.channel !== channel || frame.channel !== channel) return false;
    return frame.type === messageType && isDeepStrictEqual(frame.content, original.content);
  }

  const stored = new Set<string | undefined>();
  for (const { channel, messages } of logs) {
    for (const [offset, message] of messages) {
      if (!isAsPublished(message, channel))
        find('storedAltered', `${channel} ${offset}, ${inWords(message)}`);
      if (stored.has(message.messageId)) find('storedTwice', `${channel} ${offset}, ${inWords(message)}`);
      stored.add(message.messageId);
    }
  }
  for (const { channel, messageId, offset } of published) {
    const isThere = offset === undefined || idAt(logByChannel.get(channel), offset) === messageId;
    if (!isThere) find('notStored', `${channel} ${offset}, ${messageId}`);
  }

  for (const subscriber of subscribers) {
    const { name, channels, given, lostEvents } = subscriber;
    for (const event of lostEvents) find('lostEvents', `${name}, ${event}`);
    const last = new Map<string, number>();
    const seen = new Set<string>();
    for (const frame of given) {
      const { type, channel = '', offset, messageId } = frame;
      if (!channels.includes(channel) || type !== messageType || offset === undefined) {
        find('stray', `${name}, ${inWords(frame)}`);
        continue;
      }
      const where = `${channel} ${offset}`;
      const isStoredSo = idAt(logByChannel.get(channel), offset) === messageId;
      if (!isStoredSo || !isAsPublished(frame, channel))
        find('altered', `${name}, ${where}, ${inWords(frame)}`);
      const before = last.get(channel) ?? 0;
      if (seen.has(where)) find('doubled', `${name}, ${where}`);
      else if (offset < before) find('outOfOrder', `${name}, ${where} after ${before}`);
      seen.add(where);
      last.set(channel, Math.max(before, offset));
    }
    for (const where of missedBy(subscriber, logs)) find('lost', `${name}, ${where}`);
  }
  return { findings, examples };
}

/** The messages in the logs that a subscriber must get and has not got, each as `channel offset`. */
export function missedBy({ channels, given }: Subscriber, logs: readonly ChannelLog[]): readonly string[] {
  const got = new Set(given.map(({ channel, offset }) => `${channel} ${offset}`));
  return logs
    .filter(({ channel }) => channels.includes(channel))
    .flatMap(({ channel, messages }) => [...messages.keys()].map((offset) => `${channel} ${offset}`))
    .filter((where) => !got.has(where));
}

function createTally() {
  const findings = {
    lost: 0,
    doubled: 0,
    outOfOrder: 0,
    lostEvents: 0,
    stray: 0,
    altered: 0,
    notStored: 0,
    storedTwice: 0,
    storedAltered: 0,
  } satisfies Findings;
  const examples: string[] = [];
  return {
    findings,
    examples,
    find: (kind: keyof Findings, what: string): void => {
      findings[kind] += 1;
      if (findings[kind] <= maxExamplesOfAKind) examples.push(`${kind}: ${what}`);
    },
  };
}

function idAt(log: ChannelLog | undefined, offset: number): string | undefined {
  return log?.messages.get(offset)?.messageId;
}

function inWords({ type, channel, messageId, content }: Frame): string {
  const text = JSON.stringify({ type, channel, messageId, content });
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
