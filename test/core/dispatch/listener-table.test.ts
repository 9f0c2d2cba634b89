import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { defineListener } from '../../../core/dispatch/define-listener.ts';
import { readListeners } from '../../../core/dispatch/listener-table.ts';
import { protocolTypes } from '../../../protocol/index.ts';

const listener = (type: string) => defineListener({ type, content: z.unknown(), handle: () => undefined });

describe('the listeners of several modules', () => {
  it('are those of all default exports, in order', () => {
    const [a, b, c] = [listener('a'), listener('b'), listener('c')];
    expect(readListeners({ 'one.ts': [a, b], 'two.ts': [], 'three.ts': [c] })).toEqual([a, b, c]);
  });

  it.each([
    ['no list', listener('a')],
    ['nothing', undefined],
    ['a list with something else in it', [listener('a'), { type: 'b', handle: () => undefined }]],
    ['a list with a function', [() => undefined]],
    ['a list with null', [null]],
  ])('are refused if a default export is %s', (_what, table) => {
    expect(() => readListeners({ 'one.ts': table })).toThrow(
      'one.ts: the default export must be a list of listeners from defineListener.',
    );
  });

  it.each(protocolTypes)('are refused if one is for %s, a type of the protocol', (type) => {
    expect(() => readListeners({ 'one.ts': [listener(type)] })).toThrow(
      `one.ts: the type "${type}" belongs to the protocol.`,
    );
  });

  it.each([
    ['', 'must be 1 to 128 characters, but is "".'],
    ['pong', 'must not be ack, error, pong, closing, presence, but is "pong".'],
  ])('are refused if one has the type %j, which no frame can have', (type, fault) => {
    expect(() => readListeners({ 'one.ts': [listener(type)] })).toThrow(`one.ts: a listener's type ${fault}`);
  });

  it('are refused if two have one type, in one module or in two', () => {
    expect(() => readListeners({ 'one.ts': [listener('a'), listener('a')] })).toThrow(
      'one.ts: two listeners have the type "a".',
    );
    expect(() => readListeners({ 'one.ts': [listener('a')], 'two.ts': [listener('a')] })).toThrow(
      'two.ts: the type "a" belongs to one.ts.',
    );
  });
});
