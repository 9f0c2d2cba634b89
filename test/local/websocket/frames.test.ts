import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameLimit, FrameReader, type FrameHeader } from '../../../local/websocket/frames.ts';
import { encodeFrame as frame } from '../harness/frame.ts';

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
    final: fc.boolean(),
    mask: fc.boolean(),
    payloadBytes: fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000),
    ),
  }),
  { maxLength: 6 },
);

function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe('reading frame headers (RFC 6455, 5.2)', () => {
  it('finds every header, wherever the stream is split', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 30 }), (given, cuts) => {
        const stream = Buffer.concat(
          given.map(({ opcode, final, mask, payloadBytes }) =>
            frame(opcode, final, mask, Buffer.alloc(payloadBytes, 7)),
          ),
        );
        const seen: FrameHeader[] = [];
        const reader = new FrameReader((header) => seen.push(header));
        for (const chunk of chunksOf(stream, cuts)) reader.push(chunk);
        expect(seen).toEqual(
          given.map(({ opcode, final, payloadBytes }) => ({ opcode, final, payloadBytes })),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('reports a frame before its payload has arrived', () => {
    const seen: FrameHeader[] = [];
    new FrameReader((header) => seen.push(header)).push(
      frame(1, true, true, Buffer.alloc(40_000)).subarray(0, 8),
    );
    expect(seen).toEqual([{ opcode: 1, final: true, payloadBytes: 40_000 }]);
  });

  it('works byte by byte', () => {
    const seen: FrameHeader[] = [];
    const reader = new FrameReader((header) => seen.push(header));
    for (const byte of frame(1, true, true, Buffer.alloc(70_000))) reader.push(Buffer.from([byte]));
    expect(seen).toEqual([{ opcode: 1, final: true, payloadBytes: 70_000 }]);
  });
});

describe('the limit of a frame', () => {
  const text = (bytes: number, final = true) => frame(1, final, true, Buffer.alloc(bytes));

  it('lets the whole messages before the refused frame through, and none after it', () => {
    let refusals = 0;
    const limit = new FrameLimit(100, () => {
      refusals += 1;
    });
    limit.push(
      Buffer.concat([text(100), frame(9, true, true, Buffer.alloc(0)), text(10), text(101), text(10)]),
    );
    expect(refusals).toBe(1);
    expect([1, 2, 3, 4].map((number) => limit.admits(number))).toEqual([true, true, false, false]);
  });

  it('applies to each fragment of a message', () => {
    const limit = new FrameLimit(100, () => undefined);
    limit.push(Buffer.concat([text(100, false), frame(0, true, true, Buffer.alloc(101))]));
    expect(limit.admits(1)).toBe(false);
  });

  it('counts a fragmented message as one', () => {
    const limit = new FrameLimit(100, () => undefined);
    limit.push(Buffer.concat([text(100, false), frame(0, true, true, Buffer.alloc(100)), text(101)]));
    expect([limit.admits(1), limit.admits(2)]).toEqual([true, false]);
  });
});
