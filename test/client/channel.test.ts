import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChannel } from '../../client/channels/channel.ts';
import type { Recovery, DurableFrame, Position } from '../../client/frames.ts';

const channel = 'user:member:42';

function frameAt(offset: number, epoch = 'A'): DurableFrame {
  return { type: 'n', content: null, channel, epoch, offset };
}

/** A channel at an offset of epoch A, and the list of its outputs. */
function channelAt(offset: number, maxHeld = 1000, epoch = 'A') {
  const out: string[] = [];
  const reader = createChannel({ epoch, offset }, maxHeld, {
    deliver: (frame) => out.push(`${frame.epoch}${frame.offset}`),
    lost: (from, to) => out.push(`lost ${from.epoch}${from.offset}..${to.epoch}${to.offset}`),
  });
  const receive = (...offsets: readonly number[]) => {
    for (const each of offsets) reader.receive(frameAt(each));
  };
  const answer = (differing: Partial<Recovery>) =>
    reader.recovered({ epoch: 'A', offset, recovered: true, ...differing });
  return { reader, out, receive, answer };
}

describe('a channel', () => {
  it('delivers the messages after its position, and drops repeated ones', () => {
    const { out, receive } = channelAt(3);
    receive(4, 4, 5, 4);
    expect(out).toEqual(['A4', 'A5']);
  });

  it('holds messages beyond a gap until the gap closes', () => {
    const { reader, out, receive } = channelAt(3);
    receive(6, 5);
    expect([out, reader.isBehind]).toEqual([[], true]);
    receive(4);
    expect([out, reader.isBehind]).toEqual([['A4', 'A5', 'A6'], false]);
  });

  it('delivers a message that was published before its start and arrives after it', () => {
    const { out, receive } = channelAt(3);
    receive(3, 4);
    expect(out).toEqual(['A3', 'A4']);
  });

  it('skips an offset that was never written when the server says so', () => {
    const { reader, out, receive, answer } = channelAt(3);
    receive(6);
    answer({ offset: 6, skipped: [5] });
    expect([out, reader.isBehind]).toEqual([[], true]);
    receive(4);
    expect([out, reader.isBehind]).toEqual([['A4', 'A6'], false]);
    answer({ offset: 6, skipped: [5] });
    expect(reader.position).toEqual({ epoch: 'A', offset: 6 });
  });

  it('reports the loss and goes back if the log was restored to an earlier time', () => {
    const { reader, out, receive, answer } = channelAt(9);
    receive(11);
    answer({ offset: 4, recovered: false });
    expect([out, reader.isBehind]).toEqual([['lost A9..A4'], false]);
    receive(5);
    expect(reader.position).toEqual({ epoch: 'A', offset: 5 });
  });

  it('loses nothing if an answer overtakes the recovered frames', () => {
    const { out, receive, answer } = channelAt(3);
    answer({ offset: 5 });
    receive(4, 5);
    answer({ offset: 5 });
    expect(out).toEqual(['A4', 'A5']);
  });

  it('stays behind while the server has another page', () => {
    const { reader, receive, answer } = channelAt(3);
    receive(4);
    answer({ offset: 4, more: true });
    expect(reader.isBehind).toBe(true);
    receive(5);
    answer({ offset: 5 });
    expect(reader.isBehind).toBe(false);
  });

  it('reports lost messages, delivers the held ones, and goes on', () => {
    const { reader, out, receive, answer } = channelAt(3);
    receive(8, 6);
    answer({ offset: 7, recovered: false });
    receive(9);
    expect(out).toEqual(['lost A3..A7', 'A6', 'A8', 'A9']);
    expect(reader.position).toEqual({ epoch: 'A', offset: 9 });
  });

  it('follows a new epoch when the server confirms it, and then ignores the old epoch', () => {
    const { reader, out, receive, answer } = channelAt(3);
    reader.receive(frameAt(1, 'B'));
    expect([out, reader.isBehind]).toEqual([[], true]);
    answer({ epoch: 'B', offset: 1, recovered: false });
    reader.receive(frameAt(2, 'B'));
    receive(4);
    expect([out, reader.isBehind]).toEqual([['lost A3..B1', 'B2'], true]);
    answer({ epoch: 'B', offset: 2 });
    expect([out, reader.isBehind]).toEqual([['lost A3..B1', 'B2'], false]);
  });

  it('learns of a new epoch from an answer', () => {
    const { reader, out, answer } = channelAt(3);
    answer({ epoch: 'B', offset: 2, recovered: false });
    reader.receive(frameAt(3, 'B'));
    expect(out).toEqual(['lost A3..B2', 'B3']);
  });

  it('takes the epoch of an empty log from its first message', () => {
    const { reader, out, receive } = channelAt(0, 1000, '');
    receive(2, 1);
    expect(out).toEqual(['A1', 'A2']);
    expect(reader.position).toEqual({ epoch: 'A', offset: 2 });
  });

  it('loses nothing if the first message of an empty log overtakes the answer', () => {
    const { reader, out, receive, answer } = channelAt(0, 1000, '');
    receive(1);
    answer({ epoch: '', offset: 0 });
    receive(2);
    expect([out, reader.isBehind]).toEqual([['A1', 'A2'], false]);
  });

  it('reports the loss if a log with messages is empty now', () => {
    const { out, answer } = channelAt(3);
    answer({ epoch: '', offset: 0, recovered: false });
    expect(out).toEqual(['lost A3..0']);
  });

  it('drops frames above its limit, and asks for them again', () => {
    const { reader, out, receive, answer } = channelAt(0, 2);
    receive(3, 4, 5);
    receive(1, 2);
    expect(out).toEqual(['A1', 'A2', 'A3', 'A4']);
    expect(reader.isBehind).toBe(true);
    receive(5);
    answer({ offset: 5 });
    expect(out.at(-1)).toBe('A5');
    expect(reader.isBehind).toBe(false);
  });
});

/** An event in the life of a log and its reader. */
type Step =
  | { readonly kind: 'publish' | 'skip' | 'restart' | 'trim' }
  /** A published message arrives, for the first time or again. `which` chooses it. */
  | { readonly kind: 'come'; readonly which: number }
  /** The reader asks from its position. `cutAfter` is the number of frames that arrive before the connection is cut. */
  | { readonly kind: 'ask'; readonly page: number; readonly cutAfter: number | undefined };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Step>({ kind: 'publish' }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('come' as const), which: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      page: fc.integer({ min: 1, max: 4 }),
      cutAfter: fc.option(fc.nat(4), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'skip' }, { kind: 'restart' }, { kind: 'trim' }) },
);

/** A log and its reader. The rules are checked at every delivery. */
class Reading {
  private epoch = 1;
  private head = 2;
  private firstKept = 1;
  private written: DurableFrame[] = [];
  private readonly sent: DurableFrame[] = [];
  private readonly seen = new Set<string>();
  private readonly excused = new Set<string>();
  private last: Position = { epoch: '1', offset: 2 };
  private readonly reader;

  constructor(maxHeld: number) {
    this.reader = createChannel(this.last, maxHeld, {
      deliver: (frame) => this.deliver(frame),
      lost: (from, to) => this.lose(from, to),
    });
  }

  run(steps: readonly Step[]): void {
    for (const each of steps) this.take(each);
    // The network works again: the reader asks until no message is missing.
    for (let asks = 0; asks === 0 || this.reader.isBehind; asks += 1) {
      expect(asks).toBeLessThan(500);
      this.ask(3, undefined);
    }
    for (const { epoch, offset } of this.written) {
      if (offset <= 2 && epoch === '1') continue;
      const key = `${epoch}/${offset}`;
      expect(this.seen.has(key) || this.excused.has(key), `${key} came or was reported as lost`).toBe(true);
    }
  }

  private take(each: Step): void {
    if (each.kind === 'ask') this.ask(each.page, each.cutAfter);
    else if (each.kind === 'come') {
      const frame = this.sent[each.which % Math.max(1, this.sent.length)];
      if (frame) this.reader.receive(frame);
    } else this.change(each.kind);
  }

  private change(kind: 'publish' | 'skip' | 'restart' | 'trim'): void {
    if (kind === 'publish') {
      const frame = frameAt(++this.head, String(this.epoch));
      this.written.push(frame);
      this.sent.push(frame);
    } else if (kind === 'skip') this.head += 1;
    else if (kind === 'trim') this.firstKept = this.head + 1;
    else {
      this.epoch += 1;
      this.head = 0;
      this.firstKept = 1;
    }
  }

  private ask(page: number, cutAfter: number | undefined): void {
    const { epoch, offset } = this.reader.position;
    const isSame = epoch === String(this.epoch);
    const kept = this.written.filter(
      (frame) => frame.epoch === String(this.epoch) && frame.offset >= this.firstKept,
    );
    const missed = kept.filter((frame) => isSame && frame.offset > offset);
    const frames = missed.slice(0, page);
    for (const frame of frames.slice(0, cutAfter)) this.reader.receive(frame);
    if (cutAfter !== undefined && cutAfter < frames.length) return;
    const more = missed.length > frames.length;
    const readTo = more ? (frames.at(-1)?.offset ?? offset) : this.head;
    const isWritten = (at: number) => kept.some((frame) => frame.offset === at);
    const passed = Array.from({ length: Math.max(0, readTo - offset) }, (_, index) => offset + 1 + index);
    this.reader.recovered({
      epoch: String(this.epoch),
      offset: readTo,
      skipped: isSame ? passed.filter((at) => !isWritten(at)) : [],
      recovered: isSame && offset + 1 >= this.firstKept,
      ...(more && { more }),
    });
  }

  private deliver({ epoch, offset }: DurableFrame): void {
    const key = `${epoch}/${offset}`;
    expect(this.seen.has(key), `${key} comes once`).toBe(false);
    this.seen.add(key);
    if (epoch === this.last.epoch) expect(offset).toBeGreaterThan(this.last.offset);
    else expect(Number(epoch)).toBeGreaterThan(Number(this.last.epoch));
    const between = this.written.filter((frame) => frame.epoch === epoch && frame.offset < offset);
    for (const frame of between) {
      if (frame.offset <= 2 && epoch === '1') continue;
      const earlier = `${epoch}/${frame.offset}`;
      expect(this.seen.has(earlier) || this.excused.has(earlier), `${earlier} before ${key}`).toBe(true);
    }
    this.last = { epoch, offset };
  }

  private lose(from: Position, to: Position): void {
    for (const { epoch, offset } of this.written) {
      const isAfter = epoch === from.epoch ? offset > from.offset : Number(epoch) > Number(from.epoch);
      const isBefore = epoch === to.epoch ? offset <= to.offset : Number(epoch) < Number(to.epoch);
      if (isAfter && isBefore) this.excused.add(`${epoch}/${offset}`);
    }
  }
}

describe('a channel under any mix of reordered, repeated, cut, skipped, trimmed and restarted frames', () => {
  it('delivers every message of the log once and in order, or reports it as lost', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(1, 3, 1000), (steps, maxHeld) => {
        new Reading(maxHeld).run(steps);
      }),
      { numRuns: 3000 },
    );
  });
});
