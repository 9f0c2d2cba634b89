import { describe, expect, it } from 'vitest';
import { readPattern } from '../../../local/eventbridge/pattern.ts';
import { TemplateError } from '../../../local/template/template-error.ts';

const event = {
  source: 'shop.orders',
  'detail-type': 'Order placed',
  resources: ['arn:a', 'arn:b'],
  detail: {
    total: 15,
    country: 'DE',
    note: null,
    empty: '',
    path: 'in/2026/cat.png',
    items: [
      { sku: 'a', count: 1 },
      { sku: 'b', count: 5 },
    ],
  },
};

/** The detail as a pattern. */
const detail = (pattern: object) => ({ detail: pattern });

describe('an event matches', () => {
  it.each([
    { source: ['other', 'shop.orders'], 'detail-type': ['Order placed'] },
    { resources: ['arn:b'] },
    detail({ total: [15] }),
    detail({ note: [null] }),
    detail({ empty: [''] }),
    detail({ country: [{ prefix: 'D' }] }),
    detail({ country: [{ prefix: { 'equals-ignore-case': 'd' } }] }),
    detail({ path: [{ suffix: '.png' }] }),
    detail({ path: [{ suffix: { 'equals-ignore-case': '.PNG' } }] }),
    detail({ country: [{ 'equals-ignore-case': 'de' }] }),
    detail({ path: [{ wildcard: 'in/*/*.png' }] }),
    detail({ total: [{ numeric: ['>', 10, '<=', 15] }] }),
    detail({ total: [{ numeric: ['=', 15] }] }),
    detail({ country: [{ 'anything-but': ['FR', 'IT'] }] }),
    detail({ total: [{ 'anything-but': 14 }] }),
    detail({ path: [{ 'anything-but': { prefix: 'out/' } }] }),
    detail({ path: [{ 'anything-but': { suffix: ['.jpg', '.gif'] } }] }),
    detail({ path: [{ 'anything-but': { wildcard: '*/2025/*' } }] }),
    detail({ total: [{ exists: true }], discount: [{ exists: false }] }),
    detail({ items: { sku: ['b'], count: [{ numeric: ['>', 4] }] } }),
    detail({ $or: [{ total: [1] }, { country: ['DE'] }] }),
    { $or: [{ source: ['none'] }, { detail: { country: ['DE'] } }] },
  ])('%j', (pattern) => {
    expect(readPattern(pattern, 'Rule')(event)).toBe(true);
  });
});

describe('an event does not match', () => {
  it.each([
    { source: ['shop'] },
    { source: ['shop.orders'], 'detail-type': ['Order sent'] },
    detail({ total: ['15'] }),
    detail({ country: [{ prefix: 'E' }] }),
    detail({ country: [{ prefix: 'd' }] }),
    detail({ total: [{ numeric: ['>', 15] }] }),
    detail({ total: [{ numeric: ['<', 15] }] }),
    detail({ country: [{ numeric: ['>', 0] }] }),
    detail({ country: [{ 'anything-but': ['FR', 'DE'] }] }),
    detail({ path: [{ 'anything-but': { prefix: 'in/' } }] }),
    detail({ missing: [{ 'anything-but': 'x' }] }),
    detail({ total: [{ exists: false }] }),
    detail({ discount: [{ exists: true }] }),
    detail({ path: [{ wildcard: 'in/*.jpg' }] }),
    detail({ path: [{ wildcard: 'in/2026/cat.png*.png' }] }),
    detail({ path: [{ wildcard: 'in/????/cat.png' }] }),
    detail({ items: { sku: ['a'], count: [5] } }),
    detail({ $or: [{ total: [1] }, { country: ['FR'] }] }),
  ])('%j', (pattern) => {
    expect(readPattern(pattern, 'Rule')(event)).toBe(false);
  });
});

it('a wildcard can be escaped', () => {
  const matches = readPattern({ source: [{ wildcard: 'a\\**' }] }, 'Rule');
  expect([matches({ source: 'a*b' }), matches({ source: 'ab' })]).toEqual([true, false]);
});

describe('a pattern that does not run here stops the start', () => {
  it.each([
    ['Rule: the operator cidr of an event pattern cannot run here.', { source: [{ cidr: '10.0.0.0/8' }] }],
    ['Rule: an event pattern needs lists of values, not shop.', { source: 'shop' }],
    ['Rule: [">"] is no numeric comparison.', { total: [{ numeric: ['>'] }] }],
  ])('%s', (message, pattern) => {
    expect(() => readPattern(pattern, 'Rule')).toThrow(new TemplateError(message));
  });
});
