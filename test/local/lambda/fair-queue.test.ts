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
  it('gives each lane a turn, and keeps the order within a lane', () => {
    expect(drain(queueOf('a1', 'a2', 'a3', 'b1', 'c1', 'c2'))).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  });

  it('lets a new lane wait for one entry of each other lane', () => {
    const queue = queueOf('a1', 'a2', 'a3', 'b1', 'b2', 'b3');
    expect(queue.shift()).toBe('a1');
    queue.push('c', 'c1');
    expect(drain(queue).slice(0, 3)).toEqual(['b1', 'a2', 'c1']);
  });

  it('is empty after its last entry, and takes entries again', () => {
    const queue = queueOf('a1');
    expect([queue.shift(), queue.shift()]).toEqual(['a1', undefined]);
    queue.push('a', 'a2');
    expect(drain(queue)).toEqual(['a2']);
  });
});
