import type { Recovery, DurableFrame, Position } from './frames.ts';

/** The reader of one durable log: whatever comes, in whatever order, leaves in order and once. */
export interface Channel {
  readonly position: Position;
  /** Something is missing; it may still come by itself. */
  readonly isBehind: boolean;
  readonly receive: (frame: DurableFrame) => void;
  /** The server's word on what was asked from the position; of the frames it speaks of some may still be on the way. */
  readonly recovered: (answer: Recovery) => void;
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
  /** Where the head stood when this log was first asked for. */
  let earlyTo = start.offset;
  /** By offset; nothing, where the server has said that nothing will come. */
  const held = new Map<number, DurableFrame | undefined>();

  function receive(frame: DurableFrame): void {
    const { epoch, offset } = frame;
    adopt(epoch);
    // The log was begun anew, or this is a straggler of its old life: only the server knows, and is asked.
    if (epoch !== position.epoch) isCut = true;
    // Published about when this log was first asked for its head, sent on its own later: it counts as read, but has not
    // been here. It has no place in the order, which begins at the head.
    else if (offset <= earlyTo) deliver(frame);
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
    if (epoch !== position.epoch || (!isComplete && offset !== position.offset)) jump({ epoch, offset });
    else {
      known = Math.max(known, offset);
      // What the server sent and is not here yet was overtaken: API Gateway keeps no order between posts.
      for (const hole of skipped) if (hole > position.offset) held.set(hole, undefined);
      drain();
    }
  }

  /** To a place that cannot be reached without a gap. What is here of the way goes out, in order, after the notice. */
  function jump(to: Position): void {
    // A log that was begun anew, or restored to an earlier time, gives its offsets to other messages.
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
