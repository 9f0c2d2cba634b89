import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { defineListener } from '../../../core/dispatch/define-listener.ts';
import type { SendOptions } from '../../../core/dispatch/listener.ts';
import {
  answer,
  ask,
  byHttp,
  dispatching,
  listeners,
  identity,
  nothing,
  sender,
  session,
} from './dispatching.ts';

describe('a heartbeat', () => {
  it('as the bare text ping is answered by the bare text pong', async () => {
    expect(await ask('ping')).toBe('pong');
  });

  it('as a frame is answered by a pong with the same id, or without one', async () => {
    expect(await answer({ type: 'ping', id: '7' })).toEqual({ type: 'pong', id: '7', content: null });
    expect(await answer({ type: 'ping' })).toEqual({ type: 'pong', content: null });
  });

  it.each(['PING', ' ping', 'ping\n', '"ping"'])(
    'has no other form: %j is answered bad_frame',
    async (text) => {
      expect(JSON.parse((await ask(text)) ?? '')).toMatchObject({
        type: 'error',
        content: { code: 'bad_frame' },
      });
    },
  );
});

describe('an ack', () => {
  it('carries the return value of the listener, if the frame has an id', async () => {
    expect(await answer({ type: 'echo', id: 'a', content: { text: 'hi' } })).toEqual({
      type: 'ack',
      id: 'a',
      content: { text: 'hi' },
    });
  });

  it('is sent even if the id is empty or the listener returns nothing', async () => {
    expect(await answer({ type: 'echo', id: '', content: { text: 'hi' } })).toMatchObject({
      type: 'ack',
      id: '',
    });
    expect(await answer({ type: 'silent', id: 'b' })).toEqual({ type: 'ack', id: 'b', content: null });
  });

  it('too large for a connection becomes an error with the id; by HTTP it is sent', async () => {
    const long = defineListener({ type: 'long', content: z.unknown(), handle: () => 'x'.repeat(131_072) });
    const { dispatch } = dispatching([long]);
    const { text } = await dispatch('{"type":"long","id":"a"}', sender);
    expect(JSON.parse(text)).toMatchObject({
      type: 'error',
      id: 'a',
      content: { code: 'too_large', requestType: 'long' },
    });
    const answered = await dispatch('{"type":"long","id":"a"}', byHttp);
    expect(answered.refusal).toBeUndefined();
    expect(await dispatch('{"type":"long"}', sender)).toMatchObject({ ackNotRequested: true });
  });

  it('is not sent without an id', async () => {
    expect(await ask(JSON.stringify({ type: 'echo', content: { text: 'hi' } }))).toBeUndefined();
  });
});

describe('an error frame', () => {
  it.each([
    { what: 'text that is not JSON', text: '{"type":', error: { code: 'bad_frame' }, field: 'frame' },
    { what: 'an empty text', text: '', error: { code: 'bad_frame' }, field: 'frame' },
    { what: 'JSON that is not an object', text: '[1]', error: { code: 'bad_frame' }, field: 'frame' },
    {
      what: 'a frame without a type',
      text: '{"id":"a"}',
      error: { code: 'bad_frame' },
      id: 'a',
      field: 'frame.type',
    },
    {
      what: 'a bad id',
      text: '{"type":"echo","id":5}',
      error: { code: 'bad_frame', requestType: 'echo' },
      field: 'frame.id',
    },
    {
      what: 'a type without a listener',
      text: '{"type":"nope","id":"a"}',
      error: { code: 'unknown_type', requestType: 'nope' },
      id: 'a',
      field: 'type',
    },
    {
      what: 'content that fails the schema',
      text: '{"type":"echo","id":"a","content":{"text":5}}',
      error: { code: 'bad_content', requestType: 'echo' },
      id: 'a',
      field: 'content.text',
    },
    {
      what: 'missing content',
      text: '{"type":"echo"}',
      error: { code: 'bad_content', requestType: 'echo' },
      field: 'content',
    },
    {
      what: 'a type that is an inherited property name',
      text: '{"type":"constructor"}',
      error: { code: 'unknown_type', requestType: 'constructor' },
      field: 'type',
    },
  ])(
    'answers $what with the id and type, if readable, and names the field',
    async ({ text, error, id, field }) => {
      const frame: unknown = JSON.parse((await ask(text)) ?? '');
      expect(frame).toEqual({
        type: 'error',
        ...(id !== undefined && { id }),
        content: { ...error, message: expect.stringMatching(`^${field}: `) as string },
      });
    },
  );

  it('carries the message of a refusal by the listener, with or without an id', async () => {
    const content = { code: 'forbidden', message: 'content.text: not you', requestType: 'refuse' };
    expect(await answer({ type: 'refuse', id: 'a' })).toEqual({ type: 'error', id: 'a', content });
    expect(await answer({ type: 'refuse' })).toEqual({ type: 'error', content });
  });

  it.each(['throw', 'throw-text', 'reject'])(
    'answers a fault (%s) as internal, without any details',
    async (type) => {
      const { dispatch, logged } = dispatching();
      const { text: frame } = await dispatch(JSON.stringify({ type, id: 'a', content: 'private' }), sender);
      expect(JSON.parse(frame)).toMatchObject({
        type: 'error',
        id: 'a',
        content: { code: 'internal', requestType: type },
      });
      expect(frame).not.toMatch(/password|private|Error/);
      expect(logged).toMatchObject([['error', 'listener failed', { type, connectionId: 'c1=' }]]);
      expect(JSON.stringify(logged)).not.toContain('private');
    },
  );
});

describe('a message that a listener sends', () => {
  it('stays in the tenant of the sender and names the sender', async () => {
    const { dispatch, published } = dispatching();
    const forged = { from: { tenant: 'other', userType: 'admin', userId: '0' }, tenant: 'other' };
    await dispatch(
      JSON.stringify({ type: 'forward', content: { to: 'everyone', ...forged }, ...forged }),
      sender,
    );

    expect(published).toMatchObject([
      { request: { tenant: 'acme', to: [{ kind: 'everyone' }] }, from: sender.identity },
    ]);
  });

  it('as a reply goes only to the connection that asked', async () => {
    const { dispatch, replied } = dispatching();
    await dispatch('{"type":"answer-me"}', sender);
    expect(replied).toMatchObject([
      { request: { type: 'answered', content: { n: 1 }, tenant: 'acme' }, to: { identity, ...session } },
    ]);
  });

  it('is refused if its target is invalid', async () => {
    const content = { to: 'user:member' };
    expect(await answer({ type: 'forward', content })).toMatchObject({
      type: 'error',
      content: { code: 'bad_request' },
    });
  });

  it('as a reply to a frame without a connection goes to all sessions of the user', async () => {
    const { dispatch, published, replied } = dispatching();
    const { text } = await dispatch('{"type":"answer-me"}', byHttp);
    expect(JSON.parse(text)).toMatchObject({ type: 'ack', content: { status: 'delivered' } });
    expect(replied).toEqual([]);
    expect(published).toMatchObject([
      { request: { to: [{ kind: 'user', userType: 'member', userId: '1' }] }, from: identity },
    ]);
  });

  it('stays in the tenant of the sender, even if the options name another tenant', async () => {
    const options: SendOptions & Record<string, unknown> = { tenant: 'other', to: 'session:c9=' };
    const { dispatch, published } = dispatching([
      defineListener({
        type: 'stray',
        content: z.unknown(),
        handle: ({ send }) => send('everyone', 'strayed', 1, options),
      }),
    ]);
    await dispatch('{"type":"stray"}', sender);
    expect(published).toMatchObject([{ request: { tenant: 'acme', to: [{ kind: 'everyone' }] } }]);
  });

  it('may be durable', async () => {
    const { dispatch, published } = dispatching([
      defineListener({
        type: 'keep',
        content: z.unknown(),
        handle: ({ send }) => send('everyone', 'kept', 1, { durable: true, ttlSeconds: 60 }),
      }),
    ]);
    await dispatch('{"type":"keep"}', sender);
    expect(published).toMatchObject([{ request: { durable: true, ttlSeconds: 60 } }]);
  });

  it('can name the user and the connection of the frame', async () => {
    expect(await answer({ type: 'who', id: 'a' })).toMatchObject({
      content: {
        from: sender.identity,
        session: { connectionId: 'c1=', connectedAt: 1_000, tokenExpiresAt: 2_000 },
      },
    });
  });
});

describe('a type without a listener', () => {
  const target = (type: string) =>
    defineListener({ type, content: z.unknown(), handle: () => `target of ${type}` });
  const findTarget = (type: string) => (type.startsWith('crm-') ? target(type) : undefined);

  it('goes to its target, if it has one', async () => {
    const { dispatch } = dispatching(listeners, findTarget);
    const { text } = await dispatch('{"type":"crm-note","id":"a"}', sender);
    expect(JSON.parse(text)).toMatchObject({ type: 'ack', content: 'target of crm-note' });
    expect(await dispatch('{"type":"nope"}', sender)).toMatchObject({ refusal: { code: 'unknown_type' } });
  });

  it('is one that no listener in code has', async () => {
    const own = defineListener({ type: 'crm-note', content: nothing, handle: () => 'own' });
    const { dispatch } = dispatching([own], findTarget);
    const { text } = await dispatch('{"type":"crm-note","id":"a"}', sender);
    expect(JSON.parse(text)).toMatchObject({ content: 'own' });
  });
});
