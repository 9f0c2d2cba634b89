import { describe, expect, it } from 'vitest';
import { classifyGaps, maxWriters } from '../../../core/log/gaps.ts';
import { type HeadRow, type MessageRow, messageSortKey } from '../../../core/log/items.ts';
import { writerLostAfterMs } from '../../../core/timing.ts';

const now = 1_000_000;
const ttlSeconds = 100;
const ttlMs = ttlSeconds * 1000;

function headOf(differing: Partial<HeadRow>): HeadRow {
  return { epoch: 'e', offset: 5, createdAt: 0, movedAt: 0, shortestTtlSeconds: ttlSeconds, ...differing };
}

function rowAt(offset: number, takenAt: number, expiresAtMs: number): MessageRow {
  const frame = String(offset);
  return { sk: messageSortKey(offset), epoch: 'e', takenAt, expiresAt: expiresAtMs / 1000, frame };
}

function classify(head: HeadRow, rows: readonly MessageRow[], after: number, to: number) {
  return classifyGaps(head, { rows, after, to, takenBefore: head.movedAt }, now);
}

describe('a stretch of a log without rows', () => {
  it('is lost from its first offset on if its messages may have expired and its writers have ended', () => {
    const page = classify(headOf({}), [], 2, 5);
    expect(page).toEqual({ messages: [], offset: 5, skipped: [], lostAt: 3, open: [] });
  });

  it('is open at each offset if even the shortest TTL has not run out', () => {
    const head = headOf({ createdAt: now - ttlMs + 1, movedAt: now });
    const { open, lostAt } = classify(head, [], 3, 5);
    const gap = { takenAt: head.createdAt, isHole: true, isSettled: false };
    expect(open).toEqual([
      { offset: 4, ...gap },
      { offset: 5, ...gap },
    ]);
    expect(lostAt).toBeUndefined();
  });

  it('may have expired in the very moment in which the shortest TTL runs out', () => {
    const head = headOf({ createdAt: now - ttlMs, movedAt: now });
    expect(classify(head, [], 0, 5)).toMatchObject({ lostAt: 1 });
  });

  it('is open only where a writer may still be at work, if its messages may have expired', () => {
    const head = headOf({ offset: 250, movedAt: now - writerLostAfterMs });
    const { open, lostAt } = classify(head, [], 0, 250);
    expect(open.map(({ offset }) => offset)).toEqual(
      Array.from({ length: maxWriters }, (_, index) => 250 - maxWriters + 1 + index),
    );
    expect(open.every(({ isHole, isSettled }) => !isHole && !isSettled)).toBe(true);
    expect(lostAt).toBe(1);
  });

  it('of fewer offsets than there may be writers is open from its first offset on', () => {
    const head = headOf({ movedAt: now });
    const { open } = classify(head, [], 3, 5);
    expect(open.map(({ offset }) => offset)).toEqual([4, 5]);
  });
});

describe('a row of a log', () => {
  it('is a message until it expires, and lost from then on', () => {
    const rows = [rowAt(1, 0, now + 1), rowAt(2, 0, now)];
    const page = classify(headOf({ offset: 2 }), rows, 0, 2);
    expect(page).toMatchObject({ messages: [{ offset: 1, frame: '1' }], lostAt: 2, offset: 2, open: [] });
  });

  it('tells when the offsets after it were taken', () => {
    const rows = [rowAt(1, now - 1, now + 1), rowAt(3, now, now + 1)];
    const head = headOf({ offset: 3, movedAt: now });
    const { open, lostAt } = classify(head, rows, 0, 3);
    expect(open).toEqual([{ offset: 2, takenAt: now - 1, isHole: true, isSettled: false }]);
    expect(lostAt).toBeUndefined();
  });
});
