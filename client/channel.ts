import type { ChannelAnswer, DurableFrame, Position } from './frames.ts';

/** The reader of one durable log: whatever comes, in whatever order, leaves in order and once. */
export interface Channel {
  readonly position: Position;
  /** Something is missing; it may still come by itself. */
  readonly isBehind: boolean;
  readonly receive: (frame: DurableFrame) => void;
  /**
   * The server's word on what was asked from the position; the frames it speaks of have come before it. Returns
   * whether there is more to ask for at once.
   */
  readonly recovered: (answer: ChannelAnswer) => boolean;
}

export interface ChannelOutput {
  readonly deliver: (frame: DurableFrame) => void;
  /** Between these two positions messages are missing. */
  readonly lost: (from: Position, to: Position) => void;
}

export function createChannel(start: Position, maxHeld: number, { deliver, lost }: ChannelOutput): Channel {
  let position = start;
  let isCut = false;
  /** The highest offset that is known to be in the log. */
  let known = start.offset;
  /** The offset that the last answer covered and that yet did not come. */
  let doubted = 0;
  const held = new Map<number, DurableFrame>();
  const early = new Set<number>();

  function receive(frame: DurableFrame): void {
    const { epoch, offset } = frame;
    adopt(epoch);
    // The log was begun anew, or this is a straggler of its old life: only the server knows, and is asked.
    if (epoch !== position.epoch) isCut = true;
    else if (epoch === start.epoch && offset <= start.offset) receiveEarly(frame);
    else if (offset > position.offset) {
      known = Math.max(known, offset);
      held.set(offset, frame);
      drain();
      // What does not fit is not lost: it is at or below `known`, so the server is asked for it again.
      if (held.size > maxHeld) held.delete(Math.max(...held.keys()));
    }
  }

  /** The position in a log without messages has no epoch: the first message brings it. */
  function adopt(epoch: string): void {
    if (position.epoch === '') position = { ...position, epoch };
  }

  /**
   * Published about when this log was first asked for its head, sent on its own later: it counts as read, but has
   * not been here. It has no place in the order, which begins at the head.
   */
  function receiveEarly(frame: DurableFrame): void {
    if (!early.has(frame.offset)) deliver(frame);
    early.add(frame.offset);
  }

  function drain(): void {
    for (let next = held.get(position.offset + 1); next; next = held.get(position.offset + 1)) {
      held.delete(next.offset);
      position = { epoch: next.epoch, offset: next.offset };
      deliver(next);
    }
  }

  function recovered({ epoch, offset, recovered: isComplete, more = false }: ChannelAnswer): boolean {
    adopt(epoch);
    if (epoch !== position.epoch) {
      // A log that was begun anew counts from 1 again.
      held.clear();
      jump({ epoch, offset });
    }
    if (position.offset < offset) {
      known = Math.max(known, offset);
      if (!isComplete) jump({ epoch, offset });
      else if (doubted === position.offset + 1) passHole(offset);
      doubted = position.offset + 1;
    }
    isCut = more;
    return more || position.offset < offset;
  }

  /**
   * The server read past this offset twice and twice sent nothing for it: it was never written. Once is not enough,
   * for API Gateway keeps no order between posts to a connection, so an answer may overtake a frame.
   */
  function passHole(readTo: number): void {
    position = { ...position, offset: Math.min(readTo, Math.min(...held.keys()) - 1) };
    drain();
  }

  /** To a place that cannot be reached without a gap. What is here of the way goes out, in order, after the notice. */
  function jump(to: Position): void {
    const passed = [...held.values()].filter(({ offset }) => offset <= to.offset);
    lost(position, to);
    position = to;
    doubted = 0;
    known = Math.max(to.offset, ...held.keys());
    for (const frame of passed.sort((a, b) => a.offset - b.offset)) {
      held.delete(frame.offset);
      deliver(frame);
    }
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
