import { randomUUID } from 'node:crypto';
import type { Frame } from '../../../client/index.ts';

interface Log {
  epoch: string;
  frames: Frame[];
  /** The highest offset that was given out, with or without a message. */
  head: number;
  skipped: number[];
}

interface Asked {
  readonly channel: string;
  readonly epoch?: string;
  readonly offset?: number;
}

/** The content of a `recover` or `subscribe`. */
interface Request extends Partial<Omit<Asked, 'channel'>> {
  readonly channels?: readonly Asked[];
  readonly topic?: string;
  readonly messagesIn?: string;
}

const shortNames: Readonly<Record<string, string>> = { user: 'user:member:42', type: 'type:member' };

/** The durable logs of a fake server. Reads follow the same rules as the product's. */
export class FakeLogs {
  /** The largest number of messages that one answer recovers. */
  pageSize = 100;
  /** An older server sends each message as a frame of its own, whatever it is asked. */
  knowsMessagesInAck = true;
  private readonly logs = new Map<string, Log>();

  of(channel: string): Log {
    const log = this.logs.get(channel) ?? {
      epoch: `epoch-of-${channel}`,
      frames: [],
      head: 0,
      skipped: [],
    };
    this.logs.set(channel, log);
    return log;
  }

  append(channel: string, type: string, content: unknown): Frame {
    const log = this.of(channel);
    log.head += 1;
    const frame = { type, content, channel, offset: log.head, epoch: log.epoch, messageId: randomUUID() };
    log.frames.push(frame);
    return frame;
  }

  /** Leaves a gap, as a writer that dies between taking an offset and writing the message. */
  skip(channel: string): void {
    const log = this.of(channel);
    log.head += 1;
    log.skipped.push(log.head);
  }

  /** Starts the log again, under another epoch. */
  restart(channel: string, epoch: string): void {
    this.logs.set(channel, { epoch, frames: [], head: 0, skipped: [] });
  }

  /**
   * The content of the ack of a `recover` or `subscribe`, and the frames that are sent before it. A request for the
   * messages in the ack has no such frames.
   */
  read(type: string, content: unknown): { frames: readonly Frame[]; content: unknown } {
    const { messagesIn, topic, channels, ...position } = content as Request;
    const asked = channels ?? [{ channel: `topic:${topic}`, ...position }];
    const isInAck = messagesIn === 'ack' && this.knowsMessagesInAck;
    const answers = asked.map((each) => this.readOne(each));
    const entries = answers.map(({ frames, entry }) => ({ ...entry, ...(isInAck && { messages: frames }) }));
    return {
      frames: isInAck ? [] : answers.flatMap(({ frames }) => frames),
      content: type === 'subscribe' ? { ...entries[0], topic } : { channels: entries },
    };
  }

  private readOne({ channel: name, epoch, offset }: Asked) {
    const channel = shortNames[name] ?? name;
    const log = this.of(channel);
    const known = { channel, epoch: log.epoch };
    if (offset === undefined) return { frames: [], entry: { ...known, offset: log.head, recovered: true } };
    if (epoch !== '' && epoch !== log.epoch) {
      return { frames: [], entry: { ...known, offset: log.head, recovered: false } };
    }
    const missed = log.frames.filter((frame) => (frame.offset ?? 0) > offset);
    const frames = missed.slice(0, this.pageSize);
    const more = missed.length > frames.length;
    const readTo = more ? (frames.at(-1)?.offset ?? offset) : log.head;
    const skipped = log.skipped.filter((hole) => hole > offset && hole <= readTo);
    return { frames, entry: { ...known, offset: readTo, recovered: true, skipped, ...(more && { more }) } };
  }
}
