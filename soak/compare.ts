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
  /** A client got a frame that is not its own: of another channel or none, of another type, or without an offset. */
  readonly stray: number;
  /** A subscriber got another content, `messageId` or channel than was published and stored. */
  readonly altered: number;
  /** The answer of a publish names an offset at which the log holds something else, or nothing. */
  readonly notStored: number;
  /** The logs hold a message a second time. */
  readonly storedTwice: number;
  /** A log holds another content, `messageId` or channel than was published. */
  readonly storedAltered: number;
}

export interface Comparison {
  readonly findings: Findings;
  /** The first findings of each kind, in words. */
  readonly examples: readonly string[];
}

/** All that a run leaves behind. */
export interface Recording {
  readonly published: readonly Published[];
  readonly logs: readonly ChannelLog[];
  readonly subscribers: readonly Subscriber[];
}

const maxExamplesOfAKind = 3;

/** Compares what every subscriber got with what was published, and with what the logs hold. */
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

/** What the logs hold of a subscriber's channels and the subscriber has not got, as `channel offset`. */
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
