import { type Channel, createChannel } from './channel.ts';
import {
  type ChannelPosition,
  type DurableFrame,
  type Frame,
  isDurable,
  type Position,
  type Recovery,
  topicPrefix,
} from './frames.ts';
import { createSeen } from './seen.ts';

/** Between these two positions of a channel messages are missing, and cannot be had any more. */
export interface Lost {
  readonly channel: string;
  readonly from: Position;
  readonly to: Position;
}

/** Every frame that is a message passes here: once, and in order where its channel keeps a log. */
export interface Channels {
  readonly receive: (frame: Frame) => void;
  /** From now on the frames of channels that are not known wait, until the function it returns is called. */
  readonly hold: () => () => void;
  /**
   * The server's word on a channel: it is read on, or begun at that position where that was what was asked for: an
   * answer that comes after an unsubscribe brings nothing back. Returns whether there is more to ask for
   * at once.
   */
  readonly answer: (channel: string, answer: Recovery, isBegun?: boolean) => boolean | undefined;
  readonly forget: (channel: string) => void;
  readonly get: (channel: string) => Channel | undefined;
  /** The session's own channels: all but the topics. */
  readonly own: () => readonly ChannelPosition[];
  readonly all: () => readonly ChannelPosition[];
  /** Those that miss something. */
  readonly gaps: () => readonly ChannelPosition[];
}

export interface ChannelsOutput {
  readonly deliver: (frame: Frame) => void;
  readonly lost: (lost: Lost) => void;
  /** Something is missing that may still come by itself. */
  readonly gap: () => void;
}

/** Frames that are held in each channel, frames that wait for a position, and ids that are remembered. */
const maxKept = 1000;

export function createChannels(output: ChannelsOutput): Channels {
  const channels = new Map<string, Channel>();
  const isNew = createSeen(maxKept);
  let waiting: DurableFrame[] = [];
  let holds = 0;

  // Delivery is at least once.
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
