import { describe, expect, it } from 'vitest';
import { connectionId, name, parseWith, Refusal, topicName, topicPattern } from '../../protocol/index.ts';
import { refusalOf } from './refusal-of.ts';

const every = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

describe.each([
  { kind: 'a user id, type or tenant', schema: name, alphabet: `${every}._@+-`, max: 128, others: '/=*' },
  { kind: 'a topic', schema: topicName, alphabet: `${every}._@+-/`, max: 256, others: '=*' },
  { kind: 'a topic pattern', schema: topicPattern, alphabet: `${every}._@+-/*`, max: 256, others: '=' },
  { kind: 'a connection id', schema: connectionId, alphabet: `${every}_+/=-`, max: 128, others: '.@*' },
])('$kind', ({ schema, alphabet, max, others }) => {
  const read = (value: unknown) => parseWith(schema, value, 'it', 'bad_request');

  it(`has 1 to ${String(max)} characters of its alphabet`, () => {
    expect(read(alphabet)).toBe(alphabet);
    for (const length of [1, max - 1, max]) expect(read('a'.repeat(length))).toHaveLength(length);
  });

  it.each(['', 'a'.repeat(max + 1)])('is refused if it is %j', (text) => {
    expect(refusalOf(() => read(text)).message).toMatch(
      new RegExp(`^it: must be .*1 to ${String(max)} of A-Z`),
    );
  });

  it('has no separator, space, control character or character beyond ASCII', () => {
    for (const character of `#:?,;!"'()<>{}[]|\\^\`~%&$ \t\n\r\0é日\u{1F600}${others}`) {
      for (const text of [character, `a${character}`, `${character}a`])
        expect(
          refusalOf(() => read(text)),
          JSON.stringify(text),
        ).toBeInstanceOf(Refusal);
    }
  });

  it.each([undefined, null, 1, true, {}, ['a']].map((value) => ({ value })))(
    'is refused if it is $value',
    ({ value }) => {
      expect(refusalOf(() => read(value)).message).toMatch(/^it: (is required|must be a string)$/);
    },
  );
});
