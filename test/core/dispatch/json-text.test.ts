import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { defineListener } from '../../../core/dispatch/define-listener.ts';
import { answer, dispatching, sender } from './dispatching.ts';

describe('content sent as a JSON string', () => {
  it('is parsed if the listener takes an object, and the ack carries a string too', async () => {
    const frame = { type: 'echo', id: 'a', content: JSON.stringify({ text: 'hi' }) };
    expect(await answer(frame)).toEqual({ type: 'ack', id: 'a', content: '{"text":"hi"}' });
  });

  it('makes the replies and publishes of the listener carry strings too', async () => {
    const { dispatch, published, replied } = dispatching();
    await dispatch(JSON.stringify({ type: 'forward', content: '{"to":"everyone"}' }), sender);
    await dispatch(JSON.stringify({ type: 'answer-me', content: '{}' }), sender);
    expect(published).toMatchObject([{ request: { content: '{"forwarded":true}' } }]);
    expect(replied).toMatchObject([{ request: { content: '{"n":1}' } }]);
  });

  it.each([
    ['an optional object', z.optional(z.object({ a: z.int() }))],
    ['an object or null', z.nullable(z.strictObject({ a: z.int() }))],
    ['an object with a default', z._default(z.object({ a: z.int() }), { a: 0 })],
    ['one of several objects', z.union([z.object({ b: z.int() }), z.object({ a: z.int() })])],
    [
      'a transformed object',
      z.pipe(
        z.object({ a: z.int() }),
        z.transform((content) => content),
      ),
    ],
    ['a record', z.record(z.string(), z.int())],
  ])('is parsed for %s too', async (_what, content) => {
    const listener = defineListener({ type: 'wrapped', content, handle: (context) => context.content });
    const { dispatch } = dispatching([listener]);
    const ack = await dispatch(JSON.stringify({ type: 'wrapped', id: 'a', content: '{"a":1}' }), sender);
    expect(JSON.parse(ack.text)).toEqual({ type: 'ack', id: 'a', content: '{"a":1}' });
  });

  it('differs from an object, which makes the listener publish objects', async () => {
    const { dispatch, published } = dispatching();
    await dispatch(JSON.stringify({ type: 'forward', content: { to: 'everyone' } }), sender);
    expect(published).toMatchObject([{ request: { content: { forwarded: true } } }]);
  });

  it.each(['not JSON', '', '5', '[]', 'null', '"text"'])(
    'without an object in it (%j) is bad_content',
    async (content) => {
      const refused = await answer({ type: 'echo', id: 'a', content });
      expect(refused).toMatchObject({ type: 'error', id: 'a', content: { code: 'bad_content' } });
      expect(refused).toHaveProperty('content.message', expect.stringMatching(/^content: /));
    },
  );

  it('is not missing content if it is not JSON', async () => {
    const refused = await answer({ type: 'answer-me', id: 'a', content: 'not JSON' });
    expect(refused).toMatchObject({ type: 'error', content: { code: 'bad_content' } });
  });

  it('is not looked for in an array of strings', async () => {
    const refused = await answer({ type: 'echo', id: 'a', content: ['{"text":"hi"}'] });
    expect(refused).toMatchObject({ type: 'error', content: { code: 'bad_content' } });
  });

  it('has at most 500 levels, as other content has', async () => {
    const listener = defineListener({
      type: 'any',
      content: z.looseObject({}),
      handle: ({ content }) => content,
    });
    const ask = async (depth: number) => {
      const content = `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
      const { text } = await dispatching([listener]).dispatch(
        JSON.stringify({ type: 'any', id: 'a', content }),
        sender,
      );
      return JSON.parse(text) as unknown;
    };
    expect(await ask(500)).toMatchObject({ type: 'ack' });
    expect(await ask(10_000)).toMatchObject({
      content: { code: 'bad_content', message: 'content: must be nested at most 500 levels deep' },
    });
  });

  it.each(['123456', 'abcdef'])(
    'that breaks a rule for strings (%s) is refused by that rule',
    async (content) => {
      const short = z.string().check(z.maxLength(3, 'must be at most 3 characters'));
      const listener = defineListener({ type: 'short', content: short, handle: () => undefined });
      const { dispatch } = dispatching([listener]);
      const { text } = await dispatch(JSON.stringify({ type: 'short', id: 'a', content }), sender);
      expect(JSON.parse(text)).toMatchObject({
        content: { message: 'content: must be at most 3 characters' },
      });
    },
  );

  it('stays a string if the listener takes one', async () => {
    expect(await answer({ type: 'text', id: 'a', content: '{"a":1}' })).toEqual({
      type: 'ack',
      id: 'a',
      content: '{"a":1}',
    });
  });
});
