import type { Recovery, DurableFrame, Position } from '../frames.ts';

/** The reader of one durable log. Frames may come in any order and repeatedly; each is delivered once and in order. */
export interface Channel {
  readonly position: Position;
  /** A message is missing. It may still arrive without a request. */
  readonly isBehind: boolean;
  readonly receive: (frame: DurableFrame) => void;
  /** Takes the answer to a `recover` from the position. Some of the recovered frames may still be on their way. */
  readonly recovered: (answer: Recovery) => void;
}

export interface ChannelOutput {
  readonly deliver: (frame: DurableFrame) => void;
  /** The messages between these two positions are lost. */
  readonly lost: (from: Position, to: Position) => void;
}

export function createChannel(start: Position, maxHeld: number, { deliver, lost }: ChannelOutput): Channel {
  let position = start;
  let isCut = false;
  /** The highest offset that is known to be in the log. */
  let known = start.offset;
  /** The offset of the head at the first request for this log; 0 after a loss. */
  let earlyTo = start.offset;
  /** Frames by offset that wait for a gap to close. `undefined`: the server says that this offset has no message. */
  const held = new Map<number, DurableFrame | undefined>();

  function receive(frame: DurableFrame): void {
    const { epoch, offset } = frame;
    adopt(epoch);
    // Either the log has a new epoch, or this frame is a late one of an old epoch. Only the server knows, so ask it.
    if (epoch !== position.epoch) isCut = true;
    // Published before our start offset, arrived after it: deliver it, outside the order.
    else if (offset <= earlyTo) deliver(frame);
    else if (offset > position.offset) {
      known = Math.max(known, offset);
      held.set(offset, frame);
      drain();
      // A dropped frame is not lost: its offset is at or below `known`, so the server is asked for it again.
      if (held.size > maxHeld) held.delete(Math.max(...held.keys()));
    }
  }

  /** An empty log has no epoch. Its first message brings one. */
  function adopt(epoch: string): void {
    if (!position.epoch) position = { ...position, epoch };
  }

  function drain(): void {
    for (let next = position.offset + 1; held.has(next); next++) {
      position = { ...position, offset: next };
      release(next);
    }
  }

  function release(offset: number): void {
    const frame = held.get(offset);
    held.delete(offset);
    if (frame) deliver(frame);
  }

  function recovered(answer: Recovery): void {
    const { epoch, offset, recovered: isComplete, skipped = [], more = false } = answer;
    adopt(epoch);
    isCut = more;
    // An answer without an epoch: the log was empty when it was read. Its first message may have overtaken the answer.
    if ((epoch && epoch !== position.epoch) || (!isComplete && offset !== position.offset))
      jump({ epoch, offset });
    else {
      known = Math.max(known, offset);
      // Recovered frames may arrive after this answer: API Gateway keeps no order between posts.
      for (const hole of skipped) if (hole > position.offset) held.set(hole, undefined);
      drain();
    }
  }

  /** Moves to a position across lost messages. Reports the loss, then delivers the held frames on the way in order. */
  function jump(to: Position): void {
    // A log with a new epoch, or restored to an earlier time, reuses its offsets for other messages.
    if (to.epoch !== position.epoch || to.offset < position.offset) held.clear();
    const passed = [...held.keys()].filter((offset) => offset <= to.offset).sort((a, b) => a - b);
    lost(position, to);
    position = to;
    earlyTo = 0;
    known = Math.max(to.offset, ...held.keys());
    passed.forEach(release);
    drain();
  }

  return {
    get position() {
      return position;
    },
    get isBehind() {
      return isCut || position.offset < known;
    },
    receive,
    recovered,
  };
}
