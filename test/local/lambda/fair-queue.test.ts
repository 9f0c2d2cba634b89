import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../../local/lambda/fair-queue.ts';

/** A queue with entries such as `a1`, the first of the lane `a`. */
function queueOf(...entries: readonly string[]): FairQueue<string> {
  const queue = new FairQueue<string>();
  for (const entry of entries) queue.push(entry.charAt(0), entry);
  return queue;
}

function drain(queue: FairQueue<string>): string[] {
  const entries: string[] = [];
  for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) entries.push(entry);
  return entries;
}

describe('a fair queue', () => {
  it('lets lanes with a backlog take turns, and keeps the order within a lane', () => {
    const entries = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1', 'c2'];
    expect(drain(queueOf(...entries))).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2', 'a3']);
  });

  it('lets a lane without a backlog wait for one entry of the others at most', () => {
    const queue = queueOf('a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'b3', 'b4');
    for (let turn = 0; turn < 3; turn += 1) queue.shift();
    queue.push('q', 'q1');
    expect([queue.shift(), queue.shift()]).toContain('q1');
  });

  it('does not starve a backlog, however many lanes without one there are', () => {
    const queue = queueOf('a1', 'a2', 'b1', 'c1', 'd1', 'e1');
    expect(drain(queue)).toEqual(['b1', 'a1', 'c1', 'a2', 'd1', 'e1']);
  });

  it('is empty after its last entry, and takes entries again', () => {
    const queue = queueOf('a1');
    expect([queue.shift(), queue.shift()]).toEqual(['a1', undefined]);
    queue.push('a', 'a2');
    expect(drain(queue)).toEqual(['a2']);
  });
});
