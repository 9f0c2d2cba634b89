import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClientFrameReading,
  maxFrameIdLength,
  maxTypeLength,
  readClientFrame,
} from '../../protocol/index.ts';

describe('a client frame', () => {
  it('is read with its type, content and id', () => {
    const frame = { type: 'chat', content: { a: [1, null] }, id: '7' };
    expect(read(frame)).toEqual({ ok: true, frame });
  });

  it('needs only a type', () => {
    expect(read({ type: 'chat' })).toEqual({
      ok: true,
      frame: { type: 'chat', content: undefined, id: undefined },
    });
  });

  it('loses all other fields, so that a client cannot set from', () => {
    const from = { tenant: 'other', userType: 'admin', userId: '0' };
    const reading = read({
      type: 'chat',
      content: 1,
      from,
      channel: 'everyone',
      messageId: 'm',
      future: true,
    });
    expect(reading).toEqual({ ok: true, frame: { type: 'chat', content: 1, id: undefined } });
    expect(JSON.stringify(reading)).not.toContain('admin');
  });

  it.each([
    { what: 'a type of the longest kind', frame: { type: 'x'.repeat(maxTypeLength) }, refused: undefined },
    {
      what: 'a type that is too long',
      frame: { type: 'x'.repeat(maxTypeLength + 1) },
      refused: /^frame\.type: .*128/,
    },
    { what: 'an empty type', frame: { type: '' }, refused: /^frame\.type: must be 1 to 128/ },
    { what: 'no type', frame: {}, refused: /^frame\.type: is required$/ },
    { what: 'a number as type', frame: { type: 1 }, refused: /^frame\.type: must be a string$/ },
    { what: 'the longest id', frame: { type: 'x', id: 'i'.repeat(maxFrameIdLength) }, refused: undefined },
    {
      what: 'an id that is too long',
      frame: { type: 'x', id: 'i'.repeat(maxFrameIdLength + 1) },
      refused: /^frame\.id: .*64/,
    },
    { what: 'a number as id', frame: { type: 'x', id: 1 }, refused: /^frame\.id: must be a string$/ },
    { what: 'null as id', frame: { type: 'x', id: null }, refused: /^frame\.id: must be a string$/ },
  ])('with $what is read within the limits, and refused beyond them', ({ frame, refused }) => {
    const reading = read(frame);
    expect(reading.ok).toBe(refused === undefined);
    if (!reading.ok) {
      expect(reading.refusal.code).toBe('bad_frame');
      expect(reading.refusal.message).toMatch(refused ?? /^$/);
    }
  });

  it('that is refused keeps its id and type, if they can be read', () => {
    expect(read({ id: 'a' })).toMatchObject({ ok: false, id: 'a' });
    expect(read({ type: 'x', id: 5 })).toMatchObject({ ok: false, requestType: 'x' });
    expect(read({ type: 5, id: 5 })).not.toHaveProperty('id');
    expect(read({ type: 5, id: 5 })).not.toHaveProperty('requestType');
  });

  it('is read or refused, whatever the text, without an exception', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .record({ type: fc.jsonValue(), id: fc.jsonValue(), content: fc.jsonValue() }, { requiredKeys: [] })
        .map((frame) => JSON.stringify(frame)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const reading = readClientFrame(text);
        if (!reading.ok)
          return reading.refusal.code === 'bad_frame' && /^frame\S*: ./.test(reading.refusal.message);
        const sent: unknown = JSON.parse(text);
        expect(sent).toMatchObject({ type: reading.frame.type });
        return true;
      }),
    );
  });

  it('keeps any content unchanged', () => {
    const frames = fc.record({
      type: fc.string({ minLength: 1, maxLength: maxTypeLength }),
      content: fc.jsonValue(),
      id: fc.string({ maxLength: maxFrameIdLength }),
    });
    fc.assert(
      fc.property(frames, (frame) => {
        const text = JSON.stringify(frame);
        const sent: unknown = JSON.parse(text);
        expect(readClientFrame(text)).toEqual({ ok: true, frame: sent });
      }),
    );
  });

  it('has content of at most 500 levels, because nothing can write much deeper JSON', () => {
    const frame = (depth: number) =>
      `{"type":"x","id":"1","content":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(readClientFrame(frame(500))).toMatchObject({ ok: true });
    for (const depth of [501, 16_000])
      expect(readClientFrame(frame(depth))).toMatchObject({
        ok: false,
        id: '1',
        requestType: 'x',
        refusal: { code: 'bad_frame', message: 'frame.content: must be nested at most 500 levels deep' },
      });
    expect(readClientFrame('['.repeat(16_000))).toMatchObject({ ok: false });
  });
});

function read(frame: object): ClientFrameReading {
  return readClientFrame(JSON.stringify(frame));
}
