import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventPatternError, readEventPattern } from '../../../local/event-pattern/event-pattern.ts';
import { readWildcard } from '../../../local/event-pattern/wildcard.ts';

const matches = (pattern: unknown, event: unknown): boolean => readEventPattern(pattern)(event);
/** Whether the list of a field `x` matches its value. */
const passes = (list: readonly unknown[], x: unknown): boolean => matches({ x: list }, { x });

describe('an event pattern', () => {
  const record = {
    eventName: 'INSERT',
    dynamodb: { Keys: { pk: { S: 'SESSION#1' } }, NewImage: { pk: { S: 'SESSION#1' }, on: { BOOL: true } } },
  };

  it.each<[string, object]>([
    ['a value of the event', { eventName: ['INSERT'] }],
    ['one of several values', { eventName: ['REMOVE', 'INSERT'] }],
    ['a nested field', { dynamodb: { Keys: { pk: { S: [{ prefix: 'SESSION#' }] } } } }],
    ['a boolean', { dynamodb: { NewImage: { on: { BOOL: [true] } } } }],
    ['all of its fields', { eventName: ['INSERT'], dynamodb: { Keys: { pk: { S: ['SESSION#1'] } } } }],
    ['a leaf that is there', { dynamodb: { NewImage: { on: { BOOL: [{ exists: true }] } } } }],
    ['a field that is absent, of an object that is absent', { a: { b: { c: [{ exists: false }] } } }],
    [
      'one alternative',
      { $or: [{ eventName: ['REMOVE'] }, { dynamodb: { NewImage: { on: { BOOL: [true] } } } }] },
    ],
  ])('matches %s', (_, pattern) => {
    expect(matches(pattern, record)).toBe(true);
  });

  it.each<[string, object]>([
    ['another value', { eventName: ['REMOVE'] }],
    ['a value in another case', { eventName: ['insert'] }],
    ['only one of two fields', { eventName: ['INSERT'], eventSource: ['aws:sqs'] }],
    ['an absent field', { nothing: ['INSERT'] }],
    // "The exists operator only works on leaf nodes" (with-ddb-filtering)
    ['an object where a leaf must exist', { dynamodb: { NewImage: { on: [{ exists: true }] } } }],
    ['a leaf that must not exist', { eventName: [{ exists: false }] }],
    ['no alternative', { $or: [{ eventName: ['REMOVE'] }, { eventName: ['MODIFY'] }] }],
    [
      'an alternative without the other fields',
      { eventName: ['REMOVE'], $or: [{ eventName: ['INSERT'] }, { a: ['b'] }] },
    ],
  ])('does not match %s', (_, pattern) => {
    expect(matches(pattern, record)).toBe(false);
  });

  it('matches a list if one of its elements matches', () => {
    expect(passes(['b'], ['a', 'b'])).toBe(true);
    expect(passes(['c'], ['a', 'b'])).toBe(false);
    expect(matches({ x: { y: ['b'] } }, { x: [{ y: 'a' }, { y: 'b' }] })).toBe(true);
    expect(passes([{ exists: true }], [])).toBe(false);
  });

  it('does not find what an event inherits', () => {
    expect(matches({ constructor: { name: ['Object'] } }, {})).toBe(false);
  });
});

describe('an operator', () => {
  it.each<[object, readonly unknown[], readonly unknown[]]>([
    [{ prefix: 'us-' }, ['us-east-1', 'us-'], ['eu-1', 'US-1', 7, undefined]],
    [{ prefix: { 'equals-ignore-case': 'US-' } }, ['us-east-1', 'Us-'], ['eu-1']],
    [{ suffix: '.png' }, ['a.png', '.png'], ['a.PNG', 'png', 7]],
    [{ suffix: { 'equals-ignore-case': '.png' } }, ['a.PNG'], ['a.gif']],
    [{ 'equals-ignore-case': 'Alice' }, ['alice', 'ALICE'], ['alic', 7]],
    [{ wildcard: 'a*c' }, ['ac', 'abbc'], ['acd', 'xac', 7]],
    [{ exists: true }, ['', 0, false, null], [undefined, {}]],
    [{ exists: false }, [undefined], ['', null]],
    [{ 'anything-but': 'a' }, ['b', 7, null], ['a', undefined]],
    [{ 'anything-but': ['a', 7] }, ['b', '7'], ['a', 7, undefined]],
    [{ 'anything-but': { prefix: 'a' } }, ['ba', 7], ['ab']],
    [{ 'anything-but': { suffix: ['a', 'b'] } }, ['ac'], ['xa', 'xb']],
    [{ 'anything-but': { 'equals-ignore-case': ['A', 'B'] } }, ['c'], ['a', 'b', 'B']],
    [{ 'anything-but': { wildcard: '*/lib/*' } }, ['/src/a'], ['/lib/a']],
    [{ numeric: ['=', 5] }, [5, 5.0], [6, '5', undefined]],
    [{ numeric: ['>', 0, '<=', 5] }, [0.1, 5], [0, 5.1, -1]],
    [{ numeric: ['<', 0] }, [-1], [0, 1]],
    [{ numeric: ['>=', 3] }, [3, 4], [2]],
  ])('%j', (operator, good, bad) => {
    expect(good.filter((value) => !passes([operator], value))).toEqual([]);
    expect(bad.filter((value) => passes([operator], value))).toEqual([]);
  });

  it('tells null, false, 0 and empty text apart', () => {
    const values = [null, false, 0, ''];
    for (const value of values) expect(values.filter((other) => passes([value], other))).toEqual([value]);
  });
});

describe('a wildcard', () => {
  it.each<[string, string, boolean]>([
    ['*', '', true],
    ['*.txt', 'a.txt', true],
    ['a*b*c', 'a1b2c', true],
    ['a*b*c', 'a1c2b', false],
    ['ab*ba', 'aba', false],
    ['a?c', 'abc', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\\\*', 'a\\b', true],
  ])('%s against %s: %s', (wildcard, text, expected) => {
    expect(readWildcard(wildcard)?.(text)).toBe(expected);
  });

  it.each(['a**b', 'a\\b', 'a\\'])('is refused: %s', (wildcard) => {
    expect(readWildcard(wildcard)).toBeUndefined();
  });

  it('matches every text in which its stars are replaced', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 4 });
    const parts = fc.array(
      fc.tuple(
        letters.filter((text) => text !== ''),
        letters,
      ),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(parts, (pairs) => {
        const wildcard = pairs.map(([fixed]) => fixed).join('*');
        const text = pairs.map(([fixed, filling], index) => (index === 0 ? fixed : filling + fixed)).join('');
        expect(readWildcard(wildcard)?.(text)).toBe(true);
      }),
    );
  });
});

describe('a pattern that AWS would refuse', () => {
  it.each<[unknown, string]>([
    [[], 'An event pattern is a JSON object.'],
    [{}, 'The event pattern has no fields.'],
    [{ a: {} }, "The event pattern's a has no fields."],
    [{ a: { b: 'x' } }, "The event pattern's a.b is an object or a list."],
    [{ a: [] }, "The event pattern's a is an empty list."],
    [{ a: [['x']] }, "The event pattern's a is a list of values and operators, not of lists."],
    [
      { a: [{ cidr: '10.0.0.0/8' }] },
      'The event pattern\'s a has {"cidr":"10.0.0.0/8"}. An object has one operator of prefix,',
    ],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }, 'An object has one operator of'],
    [{ a: [{ prefix: 7 }] }, "The event pattern's a has an operator that needs text, not 7."],
    [{ a: [{ wildcard: '**' }] }, "The event pattern's a has a wrong wildcard: **"],
    [{ a: [{ exists: 'yes' }] }, "The event pattern's a: exists is true or false."],
    [
      { a: [{ numeric: ['>'] }] },
      "The event pattern's a: numeric is a list of =, <, <=, > or >=, each with a number.",
    ],
    [{ a: [{ numeric: [] }] }, "The event pattern's a: numeric has one comparison, or two for a range."],
    [{ a: [{ 'anything-but': [] }] }, "The event pattern's a: anything-but names no value."],
    [
      { a: [{ 'anything-but': { numeric: ['=', 1] } }] },
      'An object has one operator of prefix, suffix, equals-ignore-case, wildcard.',
    ],
    [{ a: { $or: [{ b: ['x'] }] } }, "The event pattern's a.$or needs two objects or more."],
    [{ $or: ['x', 'y'] }, "The event pattern's $or is a list of objects."],
  ])('is refused: %j', (pattern, message) => {
    expect(() => readEventPattern(pattern)).toThrow(EventPatternError);
    expect(() => readEventPattern(pattern)).toThrow(message);
  });
});
