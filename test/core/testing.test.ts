import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { defineListener, defineTextListener, Refusal } from '../../core/listener.ts';
import { callListener } from '../../core/testing.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;
const anything = z.optional(z.unknown());

const listeners = [
  defineListener({ type: 'who', content: anything, handle: ({ from, session }) => ({ from, session }) }),
  defineListener({
    type: 'send',
    content: z.object({
      to: z.union([z.string(), z.array(z.string())]),
      options: z.optional(
        z.object({
          durable: z.optional(z.boolean()),
          ttlSeconds: z.optional(z.number()),
          deliverAt: z.optional(z.string()),
        }),
      ),
      text: z.optional(z.string()),
      length: z.optional(z.int()),
    }),
    handle: ({ content: { to, options, text, length }, send }) =>
      send(to, 'sent', { text: length ? 'x'.repeat(length) : text, at: new Date(0) }, options),
  }),
  defineListener({ type: 'reply', content: anything, handle: ({ reply }) => reply('replied', 1) }),
  defineListener({
    type: 'log',
    content: anything,
    handle: ({ log }) => log.info('said', { orderId: 7 }),
  }),
  defineListener({
    type: 'log-all',
    content: anything,
    handle({ log }) {
      for (const level of levels) log[level]('said');
    },
  }),
  defineListener({
    type: 'refuse',
    content: anything,
    handle() {
      throw new Refusal('conflict', 'sold out');
    },
  }),
  defineListener({
    type: 'break',
    content: anything,
    handle() {
      throw new TypeError('a bug');
    },
  }),
  defineListener({ type: 'long', content: anything, handle: () => 'x'.repeat(131_072) }),
  defineListener({
    type: 'refund',
    content: anything,
    requires: { role: 'admin' },
    handle: ({ from }) => from.claims,
  }),
  defineListener({
    type: 'count',
    content: z.string(),
    handle: ({ content, sessions }) => sessions.count(content),
  }),
  defineListener({ type: 'topics', content: anything, handle: ({ topics }) => topics.allows('orders.7') }),
];

describe('sessions.count', () => {
  it('finds one session, unless the test says otherwise', async () => {
    const frame = { type: 'count', content: 'type:agent' };
    expect((await callListener(listeners, frame)).ack).toBe(1);
    const online = (target: string) => (target === 'type:agent' ? 3 : 0);
    expect((await callListener(listeners, frame, { online })).ack).toBe(3);
  });

  it('refuses what is no target', async () => {
    const { error } = await callListener(listeners, { type: 'count', content: 'agents' });
    expect(error).toMatchObject({ code: 'bad_request', details: [{ field: 'target' }] });
  });
});

describe('a called listener', () => {
  it('gets a sender and an open session by default', async () => {
    const now = Date.now();
    const { ack, error } = await callListener(listeners, { type: 'who' });
    expect(error).toBeUndefined();
    const { from, session } = z
      .object({
        from: z.unknown(),
        session: z.object({ connectionId: z.string(), connectedAt: z.number(), tokenExpiresAt: z.number() }),
      })
      .parse(ack);
    expect(from).toEqual({ tenant: 'default', userType: 'member', userId: '1' });
    expect(session.connectedAt).toBeLessThan(now);
    expect(session.tokenExpiresAt).toBeGreaterThan(now);
  });

  it('gets the claims, and is forbidden to a token without them or without the type', async () => {
    const claims = { role: 'admin' };
    expect((await callListener(listeners, { type: 'refund' }, { claims })).ack).toEqual(claims);
    expect((await callListener(listeners, { type: 'refund' })).error).toMatchObject({ code: 'forbidden' });
    const send = ['order-*'];
    const { error } = await callListener(listeners, { type: 'refund' }, { claims, send });
    expect(error?.message).toBe('type: the token does not allow "refund"');
  });

  it('gets the sender, the session and the topics that the test names', async () => {
    const options = {
      from: { tenant: 'acme', userId: '42' },
      session: { connectionId: 'c1=', connectedAt: 1, tokenExpiresAt: 2 },
      topics: ['orders.*'],
    };
    expect((await callListener(listeners, { type: 'who' }, options)).ack).toEqual({
      from: { tenant: 'acme', userType: 'member', userId: '42' },
      session: options.session,
    });
    expect((await callListener(listeners, { type: 'topics' }, options)).ack).toBe(true);
    expect((await callListener(listeners, { type: 'topics' })).ack).toBe(false);
  });

  it('gets no session for a frame by POST /messages, and its reply is sent to the user', async () => {
    const byHttp = { session: false } as const;
    expect((await callListener(listeners, { type: 'who' }, byHttp)).ack).not.toHaveProperty('session');
    expect(await callListener(listeners, { type: 'reply' }, byHttp)).toMatchObject({
      sent: [{ to: ['user:member:1'], type: 'replied', content: 1 }],
      replies: [],
    });
  });
});

describe('a call that no client could make', () => {
  it.each([{ userId: '' }, { userId: 'a b' }, { tenant: '#' }])(
    'is rejected for the sender %j',
    async (from) => {
      await expect(callListener(listeners, { type: 'refuse' }, { from })).rejects.toThrow('from.');
    },
  );

  it('is rejected for a frame above 32 KB, unless it comes by POST /messages', async () => {
    const frame = { type: 'topics', content: 'x'.repeat(32 * 1024) };
    await expect(callListener(listeners, frame)).rejects.toThrow('32 KB');
    expect((await callListener(listeners, frame, { session: false })).ack).toBe(false);
  });
});

describe('what a listener did', () => {
  it('is in sent, with the content as receivers get it', async () => {
    const content = { to: ['user:member:42', 'topic:orders.7'], text: 'hi' };
    const { ack, sent } = await callListener(listeners, { type: 'send', content });
    expect(sent).toEqual([
      { to: content.to, type: 'sent', content: { text: 'hi', at: '1970-01-01T00:00:00.000Z' } },
    ]);
    const messageId = '00000000-0000-4000-8000-000000000001';
    expect(ack).toEqual({ messageId, status: 'delivered', delivered: 1, gone: 0, failed: 0 });
  });

  it('has an offset and a lifetime if it is durable', async () => {
    const options = { durable: true, ttlSeconds: 60 };
    const { ack, sent } = await callListener(listeners, {
      type: 'send',
      content: { to: 'everyone', options },
    });
    expect(sent).toMatchObject([{ durable: true, ttlSeconds: 60 }]);
    expect(ack).toMatchObject({ offset: 1 });
    const kept = { to: 'everyone', options: { durable: true } };
    const { sent: byDefault } = await callListener(listeners, { type: 'send', content: kept });
    expect(byDefault).toEqual([
      { to: ['everyone'], type: 'sent', content: { at: expect.any(String) as string }, durable: true },
    ]);
  });

  it('is scheduled if it has a time', async () => {
    const { ack, sent } = await callListener(listeners, {
      type: 'send',
      content: { to: 'everyone', options: { deliverAt: '2030-01-01T00:00:00+01:00' } },
    });
    const deliverAt = Date.UTC(2029, 11, 31, 23);
    expect(ack).toEqual({
      messageId: '00000000-0000-4000-8000-000000000001',
      status: 'scheduled',
      deliverAt,
    });
    expect(sent).toMatchObject([{ deliverAt }]);
  });

  it('is in replies, with the connection', async () => {
    const { replies, sent } = await callListener(
      listeners,
      { type: 'reply' },
      { session: { connectionId: 'c1=' } },
    );
    expect(replies).toEqual([{ to: ['session:c1='], type: 'replied', content: 1 }]);
    expect(sent).toEqual([]);
  });

  it('is in logs, with the fields that the function adds', async () => {
    const { logs } = await callListener(listeners, { type: 'log' }, { session: { connectionId: 'c1=' } });
    expect(logs).toEqual([
      { level: 'info', message: 'said', fields: { orderId: 7, type: 'log', connectionId: 'c1=' } },
    ]);
  });

  it('is in logs, with its level', async () => {
    const { logs } = await callListener(listeners, { type: 'log-all' });
    expect(logs.map(({ level }) => level)).toEqual(levels);
  });
});

describe('a refusal', () => {
  const toSession = { to: 'session:c1=', options: { durable: true } };

  it.each([
    ['an unknown type', 'unknown', undefined, 'unknown_type', /no listener for "unknown"/],
    ['the listener', 'refuse', undefined, 'conflict', /^sold out$/],
    ['content that fails the schema', 'send', {}, 'bad_content', /^content\.to: /],
    ['a wrong target', 'send', { to: 'user:member' }, 'bad_request', /^to: /],
    ['a message too long', 'send', { to: 'everyone', length: 131_072 }, 'too_large', /^content: .*131072/],
    ['a durable message to a session', 'send', toSession, 'bad_request', /^durable: /],
    ['an answer too long', 'long', undefined, 'too_large', /^The answer is above/],
  ])('of %s is the one of a stack', async (_what, type, content, code, message) => {
    const { ack, error, sent } = await callListener(listeners, { type, content });
    expect(ack).toBeUndefined();
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(sent).toEqual([]);
  });

  it('of the table itself rejects the call', async () => {
    const [listener] = listeners;
    if (!listener) throw new Error('There is a listener.');
    await expect(callListener([listener, listener], { type: 'who' })).rejects.toThrow(
      /two listeners .* "who"/,
    );
  });
});

describe('an error that is no refusal', () => {
  it('rejects the call with the error itself', async () => {
    await expect(callListener(listeners, { type: 'break' })).rejects.toThrow(new TypeError('a bug'));
  });
});

describe('the answer to a send', () => {
  it('is what the test says', async () => {
    const call = { type: 'send', content: { to: 'user:member:42' } };
    const away = await callListener(listeners, call, { answer: () => ({ delivered: 0 }) });
    expect(away.ack).toMatchObject({ status: 'delivered', delivered: 0, gone: 0 });
    const broken = callListener(listeners, call, {
      answer({ to }) {
        throw new Error(`no way to ${to.join()}`);
      },
    });
    await expect(broken).rejects.toThrow('no way to user:member:42');
  });
});

describe('bare text', () => {
  const table = [
    ...listeners,
    defineTextListener({
      async handle({ text, sendText }) {
        if (text === 'refuse') throw new Refusal('conflict', 'sold out');
        if (text !== 'forward') return `got ${text}`;
        await sendText('everyone', 'hello');
        return undefined;
      },
    }),
  ];

  it('is answered by its listener', async () => {
    expect(await callListener(table, 'hi')).toMatchObject({
      text: 'got hi',
      ack: undefined,
      error: undefined,
    });
    expect((await callListener(table, { type: 'who' })).text).toBeUndefined();
  });

  it('that is sent is in sent', async () => {
    const { text, sent } = await callListener(table, 'forward');
    expect(text).toBeUndefined();
    expect(sent).toEqual([{ to: ['everyone'], text: 'hello' }]);
  });

  it('may be refused', async () => {
    expect(await callListener(table, 'refuse')).toMatchObject({
      text: undefined,
      error: { code: 'conflict' },
    });
    expect(await callListener(listeners, 'hi')).toMatchObject({ error: { code: 'bad_frame' } });
  });
});
