import { describe, expect, it } from 'vitest';
import {
  connectionId,
  type ErrorCode,
  errorTable,
  maxDownlinkFrameBytes,
  maxUplinkFrameBytes,
  name,
  parseWith,
  Refusal,
  topicName,
} from '../../protocol/index.ts';
import { refusalOf } from './refusal-of.ts';

describe('the table of errors', () => {
  const promised: Record<number, readonly ErrorCode[]> = {
    400: ['bad_frame', 'unknown_type', 'bad_content', 'bad_request'],
    401: ['unauthorized', 'token_expired'],
    403: ['forbidden'],
    404: ['not_found'],
    409: ['conflict'],
    413: ['too_large'],
    429: ['rate_limited'],
    500: ['internal'],
  };

  it('holds every code that is promised, and no other, each with its status', () => {
    const statuses = Object.entries(promised).flatMap(([status, codes]) =>
      codes.map((code): [string, number] => [code, Number(status)]),
    );
    const table = Object.entries(errorTable).map(([code, { httpStatus }]): [string, number] => [
      code,
      httpStatus,
    ]);
    expect(Object.fromEntries(table)).toEqual(Object.fromEntries(statuses));
  });

  it('says which requests may succeed later, and that only an expired token closes', () => {
    const codes = Object.keys(errorTable) as ErrorCode[];
    expect(codes.filter((code) => errorTable[code].retryable)).toEqual([
      'token_expired',
      'rate_limited',
      'internal',
    ]);
    expect(codes.filter((code) => errorTable[code].closes)).toEqual(['token_expired']);
  });
});

describe('the limits of the platform', () => {
  it('are 32 KB up and 128 KB down', () => {
    expect([maxUplinkFrameBytes, maxDownlinkFrameBytes]).toEqual([32_768, 131_072]);
  });
});

const every = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

describe.each([
  { kind: 'a user id, type or tenant', schema: name, alphabet: `${every}._@+-`, max: 128, others: '/=' },
  { kind: 'a topic', schema: topicName, alphabet: `${every}._@+-/`, max: 256, others: '=' },
  { kind: 'a connection id', schema: connectionId, alphabet: `${every}_+/=-`, max: 128, others: '.@' },
])('$kind', ({ schema, alphabet, max, others }) => {
  const read = (value: unknown) => parseWith(schema, value, 'it', 'bad_request');

  it(`is 1 to ${String(max)} characters of its alphabet`, () => {
    expect(read(alphabet)).toBe(alphabet);
    for (const length of [1, max - 1, max]) expect(read('a'.repeat(length))).toHaveLength(length);
  });

  it.each(['', 'a'.repeat(max + 1)])('is not %j', (text) => {
    expect(refusalOf(() => read(text)).message).toMatch(
      new RegExp(`^it: must be .*1 to ${String(max)} of A-Z`),
    );
  });

  it('holds no separator of ours, no space, no control, nothing beyond ASCII', () => {
    for (const character of `#:*?,;!"'()<>{}[]|\\^\`~%&$ \t\n\r\0é日\u{1F600}${others}`) {
      for (const text of [character, `a${character}`, `${character}a`])
        expect(
          refusalOf(() => read(text)),
          JSON.stringify(text),
        ).toBeInstanceOf(Refusal);
    }
  });

  it.each([undefined, null, 1, true, {}, ['a']].map((value) => ({ value })))('is not $value', ({ value }) => {
    expect(refusalOf(() => read(value)).message).toMatch(/^it: (is required|Invalid input: expected string)/);
  });
});
