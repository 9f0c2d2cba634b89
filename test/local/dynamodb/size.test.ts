import { describe, expect, it } from 'vitest';
import { itemBytes, readUnits, writeUnits } from '../../../local/dynamodb/size.ts';

/** Without the one byte of the name. */
const valueBytes = (value: object): number => itemBytes({ a: value }) - 1;

describe('the size of an item, https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html', () => {
  it.each([
    ['text in UTF-8', { S: 'aü€😀' }, 1 + 2 + 3 + 4],
    ['an empty text', { S: '' }, 0],
    ['a number: a byte for two digits, and one', { N: '1234' }, 3],
    ['a number with an odd count of digits', { N: '123' }, 3],
    ['a number without the zeros at its ends', { N: '0.001200' }, 2],
    ['a whole number without the zeros at its end', { N: '1000000' }, 2],
    ['a negative number, with one byte more', { N: '-12' }, 3],
    ['zero', { N: '0' }, 1],
    ['bytes, not their Base64', { B: Buffer.alloc(10).toString('base64') }, 10],
    ['a boolean', { BOOL: true }, 1],
    ['null', { NULL: true }, 1],
    ['a set of texts', { SS: ['ab', 'c'] }, 3],
    ['a set of numbers', { NS: ['12', '3'] }, 4],
    ['a set of bytes', { BS: [Buffer.alloc(3).toString('base64')] }, 3],
    ['an empty list', { L: [] }, 3],
    ['a list, with a byte for each element', { L: [{ S: 'ab' }, { S: 'c' }] }, 3 + 2 + 3],
    ['a map, with its names and a byte for each pair', { M: { ab: { S: 'c' } } }, 3 + 1 + 2 + 1],
  ])('includes %s', (_, value, bytes) => {
    expect(valueBytes(value)).toBe(bytes);
  });

  it('includes names in UTF-8', () => {
    expect(itemBytes({ größe: { BOOL: true } })).toBe(7 + 1);
  });
});

describe('units', () => {
  it('are started kilobytes for writes and started 4 KB for reads', () => {
    expect([0, 1024, 1025, 4096].map(writeUnits)).toEqual([1, 1, 2, 4]);
    expect([0, 4096, 4097].map((bytes) => readUnits(bytes, true))).toEqual([1, 1, 2]);
    expect([0, 4096, 4097].map((bytes) => readUnits(bytes, false))).toEqual([0.5, 0.5, 1]);
  });
});
