import { type Channel, createChannel } from './channel.ts';
import {
  type ChannelPosition,
  type DurableFrame,
  type Frame,
  isDurable,
  type Position,
  type Recovery,
  topicPrefix,
} from '../frames.ts';
import { createSeen } from './seen.ts';

/** The messages of a channel between these two positions are missing and cannot be recovered. */
export interface Lost {
  readonly channel: string;
  readonly from: Position;
  readonly to: Position;
}

/** Takes every message frame. Delivers each once, and in order if its channel keeps a log. */
export interface Channels {
  readonly receive: (frame: Frame) => void;
  /** Makes the frames of unknown channels wait until the returned function is called. */
  readonly hold: () => () => void;
  /**
   * Takes the server's answer for a channel. `isBegun` lets it start an unknown channel. Without it, an answer that
   * comes after an unsubscribe starts nothing. Returns whether the server has more to recover at once.
   */
  readonly answer: (channel: string, answer: Recovery, isBegun?: boolean) => boolean | undefined;
  readonly forget: (channel: string) => void;
  readonly get: (channel: string) => Channel | undefined;
  /** The session's own channels: all but the topics. */
  readonly own: () => readonly ChannelPosition[];
  readonly all: () => readonly ChannelPosition[];
  /** The channels that miss messages. */
  readonly gaps: () => readonly ChannelPosition[];
}

export interface ChannelsOutput {
  readonly deliver: (frame: Frame) => void;
  readonly lost: (lost: Lost) => void;
  /** A channel misses a message that may still arrive without a request. */
  readonly gap: () => void;
}

/** Limits each of three: frames held per channel, frames that wait for a position, and remembered message ids. */
const maxKept = 1000;

export function createChannels(output: ChannelsOutput): Channels {
  const channels = new Map<string, Channel>();
  const isNew = createSeen(maxKept);
  let waiting: DurableFrame[] = [];
  let holds = 0;

  // The server delivers at least once, so a repeated `messageId` is dropped.
  function deliver(frame: Frame): void {
    if (!frame.messageId || isNew(frame.messageId)) output.deliver(frame);
  }

  function receive(frame: Frame): void {
    const channel = channels.get(frame.channel ?? '');
    if (!isDurable(frame)) deliver(frame);
    else if (channel) {
      channel.receive(frame);
      if (channel.isBehind) output.gap();
    } else if (holds && waiting.length < maxKept) waiting.push(frame);
    else deliver(frame);
  }

  function list(isIncluded: (name: string, channel: Channel) => boolean): readonly ChannelPosition[] {
    const included = [...channels].filter(([name, channel]) => isIncluded(name, channel));
    return included.map(([channel, { position }]) => ({ channel, ...position }));
  }

  return {
    receive,
    hold() {
      holds++;
      return () => {
        const again = waiting;
        waiting = [];
        holds--;
        for (const frame of again) receive(frame);
      };
    },
    answer(name, answer, isBegun) {
      const { epoch, offset, more } = answer;
      const channel = channels.get(name);
      const lost = (from: Position, to: Position) => output.lost({ channel: name, from, to });
      // The messages first: what is then still missing, up to the answer's offset, may come as frames of their own.
      answer.messages?.forEach((frame) => channel?.receive(frame));
      if (channel) channel.recovered(answer);
      else if (isBegun) channels.set(name, createChannel({ epoch, offset }, maxKept, { deliver, lost }));
      if (channel?.isBehind) output.gap();
      return more;
    },
    forget: (channel) => void channels.delete(channel),
    get: (channel) => channels.get(channel),
    own: () => list((name) => !name.startsWith(topicPrefix)),
    all: () => list(() => true),
    gaps: () => list((_, { isBehind }) => isBehind),
  };
}
