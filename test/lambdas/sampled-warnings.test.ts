import { describe, expect, it } from 'vitest';
import { sampleWarnings } from '../../lambdas/logging/sampled-warnings.ts';

describe('sampled warnings', () => {
  it('are five a second at most, and the next one says how many were left out', () => {
    let now = 1_000_000;
    const lines: unknown[] = [];
    const warn = sampleWarnings((message, fields) => lines.push([message, fields]), { now: () => now });
    for (let count = 0; count < 100; count += 1) warn('refused', { count });
    expect(lines).toEqual([0, 1, 2, 3, 4].map((count) => ['refused', { count }]));
    now += 1000;
    warn('refused', { count: 100 });
    warn('refused', { count: 101 });
    expect(lines.slice(5)).toEqual([
      ['refused', { count: 100, leftOut: 95 }],
      ['refused', { count: 101 }],
    ]);
  });
});
