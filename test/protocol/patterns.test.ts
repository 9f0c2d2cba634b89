import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesAny } from '../../protocol/index.ts';

describe('a topic pattern', () => {
  it.each([
    ['orders.*', 'orders.eu', true],
    ['orders.*', 'orders.', true],
    ['orders.*', 'orders', false],
    ['*', 'anything/at.all', true],
    ['chat/*/public', 'chat/1/public', true],
    ['chat/*/public', 'chat/public', false],
    ['a*a', 'a', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*b*c', 'a-b-c', false],
    // The last `c` of the topic ends the pattern, so nothing is left for the `c` in the middle.
    ['a*c*c', 'a-c', false],
    ['exact', 'exact', true],
    ['exact', 'exactly', false],
  ])('%s for %s: %s', (pattern, topic, isAllowed) => {
    expect(matchesAny(topic, [pattern])).toBe(isAllowed);
  });

  it('is required: an empty list allows no topic', () => {
    expect(matchesAny('a', [])).toBe(false);
  });

  it('matches as the equivalent regular expression does', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const topic = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(text, topic, (pattern, name) => {
        const reference = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
        expect(matchesAny(name, [pattern])).toBe(reference.test(name));
      }),
    );
  });

  it('with many stars is matched without backtracking', () => {
    expect(matchesAny(`${'a'.repeat(255)}b`, [`${'a*'.repeat(127)}c`])).toBe(false);
  });
});
