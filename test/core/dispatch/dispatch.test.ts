import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { createDispatch } from '../../../core/dispatch/dispatch.ts';
import { defineListener, type Listener, type SendOptions } from '../../../core/dispatch/listener.ts';
import type { Recipient } from '../../../core/sessions/items.ts';
import { type Identity, type PublishRequest, Refusal } from '../../../protocol/index.ts';

const identity = { tenant: 'acme', userType: 'member', userId: '1' };
const session = { connectionId: 'c1=', connectedAt: 1_000, tokenExpiresAt: 2_000, topics: ['orders.*'] };
const sender = { identity, session };

describe('a heartbeat', () => {
  it('as the bare text ping is answered by the bare text pong', async () => {
    expect(await ask('ping')).toBe('pong');
  });

  it('as a frame is answered by a pong of the same id, or of none', async () => {
    expect(await answer({ type: 'ping', id: '7' })).toEqual({ type: 'pong', id: '7', content: null });
    expect(await answer({ type: 'ping' })).toEqual({ type: 'pong', content: null });
  });

  it.each(['PING', ' ping', 'ping\n', '"ping"'])(
    'is nothing like it: %j is answered bad_frame',
    async (text) => {
      expect(JSON.parse((await ask(text)) ?? '')).toMatchObject({
        type: 'error',
        content: { code: 'bad_frame' },
      });
    },
  );
});

describe('an ack', () => {
  it('carries what the listener returned, to the frame that gave an id', async () => {
    expect(await answer({ type: 'echo', id: 'a', content: { text: 'hi' } })).toEqual({
      type: 'ack',
      id: 'a',
      content: { text: 'hi' },
    });
  });

  it('is sent also where the id is empty, or the listener returned nothing', async () => {
    expect(await answer({ type: 'echo', id: '', content: { text: 'hi' } })).toMatchObject({
      type: 'ack',
      id: '',
    });
    expect(await answer({ type: 'silent', id: 'b' })).toEqual({ type: 'ack', id: 'b', content: null });
  });

  it('that no connection can take is an error that says so, with the id; by HTTP there is room', async () => {
    const long = defineListener({ type: 'long', content: z.unknown(), handle: () => 'x'.repeat(131_072) });
    const { dispatch } = dispatching([long]);
    const { text } = await dispatch('{"type":"long","id":"a"}', sender);
    expect(JSON.parse(text)).toMatchObject({
      type: 'error',
      id: 'a',
      content: { code: 'too_large', requestType: 'long' },
    });
    const byHttp = await dispatch('{"type":"long","id":"a"}', { identity, session: undefined });
    expect(byHttp.refusal).toBeUndefined();
    expect(await dispatch('{"type":"long"}', sender)).toMatchObject({ ackNotRequested: true });
  });

  it('is not sent without an id', async () => {
    expect(await ask(JSON.stringify({ type: 'echo', content: { text: 'hi' } }))).toBeUndefined();
  });
});

describe('an error frame', () => {
  it.each([
    { what: 'text that is no JSON', text: '{"type":', error: { code: 'bad_frame' }, field: 'frame' },
    { what: 'an empty text', text: '', error: { code: 'bad_frame' }, field: 'frame' },
    { what: 'JSON that is no object', text: '[1]', error: { code: 'bad_frame' }, field: 'frame' },
    {
      what: 'a frame without type',
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
      what: 'a type without listener',
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
      what: 'an inherited name for a type',
      text: '{"type":"constructor"}',
      error: { code: 'unknown_type', requestType: 'constructor' },
      field: 'type',
    },
  ])(
    'answers $what, with the id and type that can be read, and names the field',
    async ({ text, error, id, field }) => {
      const frame: unknown = JSON.parse((await ask(text)) ?? '');
      expect(frame).toEqual({
        type: 'error',
        ...(id !== undefined && { id }),
        content: { ...error, message: expect.stringMatching(`^${field}: `) as string },
      });
    },
  );

  it('answers the refusal of a listener in its own words, id or not', async () => {
    const content = { code: 'forbidden', message: 'content.text: not you', requestType: 'refuse' };
    expect(await answer({ type: 'refuse', id: 'a' })).toEqual({ type: 'error', id: 'a', content });
    expect(await answer({ type: 'refuse' })).toEqual({ type: 'error', content });
  });

  it.each(['throw', 'throw-text', 'reject'])(
    'answers a fault (%s) as internal and leaks nothing of it',
    async (type) => {
      const { dispatch, logged } = dispatching();
      const { text: frame } = await dispatch(JSON.stringify({ type, id: 'a', content: 'private' }), sender);
      expect(JSON.parse(frame)).toMatchObject({
        type: 'error',
        id: 'a',
        content: { code: 'internal', requestType: type },
      });
      expect(frame).not.toMatch(/password|private|Error/);
      expect(logged).toMatchObject([['listener failed', { type, connectionId: 'c1=' }]]);
      expect(JSON.stringify(logged)).not.toContain('private');
    },
  );
});

describe('what a listener sends', () => {
  it('is of the tenant of the sender and stamped with who sent it', async () => {
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

  it('as a reply goes to the very connection that asked', async () => {
    const { dispatch, replied } = dispatching();
    await dispatch('{"type":"answer-me"}', sender);
    expect(replied).toMatchObject([
      { request: { type: 'answered', content: { n: 1 }, tenant: 'acme' }, to: { identity, ...session } },
    ]);
  });

  it('is refused for a target that is none', async () => {
    const content = { to: 'user:member' };
    expect(await answer({ type: 'forward', content })).toMatchObject({
      type: 'error',
      content: { code: 'bad_request' },
    });
  });

  it('of a message that came without a connection is a reply to all sessions of the user', async () => {
    const { dispatch, published, replied } = dispatching();
    const { text } = await dispatch('{"type":"answer-me"}', { identity, session: undefined });
    expect(JSON.parse(text)).toMatchObject({ type: 'ack', content: { status: 'delivered' } });
    expect(replied).toEqual([]);
    expect(published).toMatchObject([
      { request: { to: [{ kind: 'user', userType: 'member', userId: '1' }] }, from: identity },
    ]);
  });

  it('stays in the tenant of the sender whatever the options say', async () => {
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

  it('comes with the connection it was asked on', async () => {
    expect(await answer({ type: 'who', id: 'a' })).toMatchObject({
      content: {
        from: sender.identity,
        session: { connectionId: 'c1=', connectedAt: 1_000, tokenExpiresAt: 2_000, topics: ['orders.*'] },
      },
    });
  });
});

describe('content sent as a JSON string', () => {
  it('is parsed where the listener takes an object, and the ack carries a string too', async () => {
    const frame = { type: 'echo', id: 'a', content: JSON.stringify({ text: 'hi' }) };
    expect(await answer(frame)).toEqual({ type: 'ack', id: 'a', content: '{"text":"hi"}' });
  });

  it('makes everything that the listener sends a string, reply or publish', async () => {
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
      'an object made into something else',
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

  it('that is an object leaves everything an object', async () => {
    const { dispatch, published } = dispatching();
    await dispatch(JSON.stringify({ type: 'forward', content: { to: 'everyone' } }), sender);
    expect(published).toMatchObject([{ request: { content: { forwarded: true } } }]);
  });

  it.each(['not JSON', '', '5', '[]', 'null', '"text"'])(
    'that holds no object (%j) is bad_content',
    async (content) => {
      const refused = await answer({ type: 'echo', id: 'a', content });
      expect(refused).toMatchObject({ type: 'error', id: 'a', content: { code: 'bad_content' } });
      expect(refused).toHaveProperty('content.message', expect.stringMatching(/^content: /));
    },
  );

  it('stays a string where the listener takes one', async () => {
    expect(await answer({ type: 'text', id: 'a', content: '{"a":1}' })).toEqual({
      type: 'ack',
      id: 'a',
      content: '{"a":1}',
    });
  });
});

const nothing = z.optional(z.unknown());

const listeners: readonly Listener[] = [
  defineListener({ type: 'echo', content: z.object({ text: z.string() }), handle: ({ content }) => content }),
  defineListener({ type: 'text', content: z.string(), handle: ({ content }) => content }),
  defineListener({ type: 'silent', content: nothing, handle: () => undefined }),
  defineListener({ type: 'who', content: nothing, handle: ({ from, session }) => ({ from, session }) }),
  defineListener({
    type: 'refuse',
    content: nothing,
    handle: () => {
      throw new Refusal('forbidden', 'content.text: not you');
    },
  }),
  defineListener({
    type: 'throw',
    content: nothing,
    handle: () => {
      throw new Error('The password is swordfish.');
    },
  }),
  defineListener({
    type: 'throw-text',
    content: nothing,
    handle: () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- a careless listener may
      throw 'The password is swordfish.';
    },
  }),
  defineListener({
    type: 'reject',
    content: nothing,
    handle: () => Promise.reject(new TypeError('The password is swordfish.')),
  }),
  defineListener({
    type: 'forward',
    content: z.object({ to: z.string() }),
    handle: ({ content, send }) => send(content.to, 'forwarded', { forwarded: true }),
  }),
  defineListener({
    type: 'answer-me',
    content: z.optional(z.object({})),
    handle: ({ reply }) => reply('answered', { n: 1 }),
  }),
];

function dispatching(known = listeners) {
  const published: { request: PublishRequest; from: Identity | undefined }[] = [];
  const replied: { request: PublishRequest; to: Recipient }[] = [];
  const logged: unknown[][] = [];
  const delivered = { messageId: 'm', status: 'delivered', delivered: 1, gone: 0, failed: 0 } as const;
  const dispatch = createDispatch({
    listeners: known,
    publish(request, from) {
      published.push({ request, from });
      return Promise.resolve(delivered);
    },
    reply(request, to) {
      replied.push({ request, to });
      return Promise.resolve(delivered);
    },
    logger: {
      error(...entry: unknown[]) {
        logged.push(entry);
      },
    },
  });
  return { dispatch, published, replied, logged };
}

/** What the client is sent. */
async function ask(text: string): Promise<string | undefined> {
  const answer = await dispatching().dispatch(text, sender);
  return answer.ackNotRequested ? undefined : answer.text;
}

async function answer(frame: object): Promise<unknown> {
  return JSON.parse((await ask(JSON.stringify(frame))) ?? '');
}
