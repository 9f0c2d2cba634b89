import { describe, expect, it } from 'vitest';
import { readListeners } from '../../../core/dispatch/listener-table.ts';
import { defineTextListener } from '../../../core/dispatch/text-listener.ts';
import { Refusal } from '../../../protocol/index.ts';
import { byHttp, dispatching, listeners, sender } from './dispatching.ts';

const textListeners = [
  defineTextListener({
    matches: (text) => text === 'rayHeartBeat',
    handle: () => 'rayImHeartBeatFeedback',
  }),
  defineTextListener({
    matches: (text) => text.startsWith('refuse'),
    handle() {
      throw new Refusal('conflict', 'sold out');
    },
  }),
  defineTextListener({
    matches: (text) => text.startsWith('break'),
    handle: () => Promise.reject(new Error('The password is swordfish.')),
  }),
  defineTextListener({ matches: (text) => text === 'long', handle: () => 'x'.repeat(131_073) }),
  defineTextListener({
    matches: (text) => text.startsWith('admin'),
    requires: { role: 'admin' },
    handle: () => 'done',
  }),
  defineTextListener({
    matches: (text) => text.startsWith('forward '),
    handle: async ({ text, sendText }) => {
      await sendText('everyone', text.slice('forward '.length));
    },
  }),
  defineTextListener({
    matches: (text) => text.startsWith('{'),
    async handle({ text, from, session, topics, send, log }) {
      log.info('taken');
      await send('type:member', 'said', { text });
      return JSON.stringify({ from, id: session?.connectionId, allows: topics.allows('orders.7') });
    },
  }),
];

const parts = (limited?: Refusal) =>
  dispatching([...listeners, ...textListeners], undefined, () => Promise.resolve(limited));

async function say(text: string, from = sender) {
  const { dispatch, ...seen } = parts();
  return { answer: await dispatch(text, from), ...seen };
}

describe('a text listener', () => {
  it('answers with the string that it returns, as it is', async () => {
    expect((await say('rayHeartBeat')).answer).toEqual({ text: 'rayImHeartBeatFeedback', isBare: true });
  });

  it('knows who sent the text, and may send frames', async () => {
    const text = '{"code":1,"msg":"hi"}';
    const { answer, published, logged } = await say(text);
    expect(JSON.parse(answer.text)).toEqual({ from: sender.identity, id: 'c1=', allows: true });
    expect(published).toMatchObject([
      { request: { type: 'said', content: { text }, tenant: 'acme' }, from: sender.identity },
    ]);
    expect(logged).toEqual([['info', 'taken', { connectionId: 'c1=' }]]);
  });

  it('sends bare text within the tenant of the sender, and needs no answer', async () => {
    const { answer, published } = await say('forward hi all');
    expect(answer).toEqual({ text: '', isBare: true, ackNotRequested: true });
    const { request } = published[0] ?? {};
    expect(request).toMatchObject({ to: [{ kind: 'everyone' }], text: 'hi all', tenant: 'acme' });
    expect(request).not.toHaveProperty('type');
  });

  it.each(['{"type":"echo","id":5}', '{"type":"nope"}', '{"type":"echo","content":{}}'])(
    'gets no frame, and no object with a type: %s',
    async (text) => {
      const { answer } = await say(text);
      expect(JSON.parse(answer.text)).toMatchObject({ type: 'error' });
      expect(answer).not.toHaveProperty('isBare');
    },
  );

  it('does not get the bare heartbeat of a connection', async () => {
    const all = defineTextListener({ handle: ({ text }) => `got ${text}` });
    const { dispatch } = dispatching([all]);
    expect((await dispatch('ping', sender)).text).toBe('pong');
    expect((await dispatch('ping', byHttp)).text).toBe('got ping');
    expect((await dispatch('', sender)).text).toBe('got ');
  });

  it('that does not match leaves the text to the next one, and then to bad_frame', async () => {
    const { answer } = await say('hello');
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'error', content: { code: 'bad_frame' } });
  });
});

describe('bare text is refused', () => {
  const errorOf = async (text: string, from = sender) => {
    const { answer } = await say(text, from);
    return JSON.parse(answer.text) as unknown;
  };

  it('by the listener, as an error frame without an id', async () => {
    expect(await errorOf('refuse')).toEqual({
      type: 'error',
      content: { code: 'conflict', message: 'sold out' },
    });
  });

  it('as JSON text, if the session takes content so', async () => {
    const { dispatch } = parts();
    const { text } = await dispatch('refuse', { ...sender, contentAs: 'text' });
    expect(JSON.parse(text)).toEqual({
      type: 'error',
      content: '{"code":"conflict","message":"sold out"}',
    });
  });

  it('as internal if the listener fails, without any details', async () => {
    const { answer, logged } = await say('break');
    expect(JSON.parse(answer.text)).toMatchObject({ content: { code: 'internal' } });
    expect(answer.text).not.toContain('swordfish');
    expect(logged).toMatchObject([['error', 'listener failed', { connectionId: 'c1=' }]]);
  });

  it('if the answer is larger than a frame', async () => {
    expect(await errorOf('long')).toMatchObject({ content: { code: 'too_large' } });
  });

  it('without a claim that the listener requires', async () => {
    expect(await errorOf('admin')).toMatchObject({ content: { code: 'forbidden' } });
    expect((await say('admin', { ...sender, claims: { role: 'admin' } })).answer.text).toBe('done');
  });

  it('to a token that limits the types, unless it allows all', async () => {
    const limitedTo = (send: string[]) => ({ ...sender, rights: { ...sender.rights, send } });
    expect(await errorOf('rayHeartBeat', limitedTo(['order-*']))).toMatchObject({
      content: { code: 'forbidden', message: 'type: the token does not allow bare text' },
    });
    expect((await say('rayHeartBeat', limitedTo(['*']))).answer.isBare).toBe(true);
  });

  it('above the rate', async () => {
    const { dispatch } = parts(new Refusal('rate_limited', 'too fast', [], 100));
    expect(JSON.parse((await dispatch('rayHeartBeat', sender)).text)).toMatchObject({
      content: { code: 'rate_limited', retryAfterMs: 100 },
    });
  });

  it('if the listener returns something else than text', async () => {
    const handle = JSON.parse.bind(undefined, '{}') as () => string;
    const { dispatch } = dispatching([defineTextListener({ handle })]);
    expect(JSON.parse((await dispatch('hi', sender)).text)).toMatchObject({ content: { code: 'internal' } });
  });
});

describe('a table of listeners', () => {
  it('may hold text listeners, in order', () => {
    const table = [...listeners, ...textListeners];
    expect(readListeners({ 'one.ts': table })).toEqual(table);
    expect(() => readListeners({ 'one.ts': [{ handleText: 'no function' }] })).toThrow('one.ts: the default');
  });
});
