import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { defineListener } from '../../../core/dispatch/define-listener.ts';
import type { Listener } from '../../../core/dispatch/listener.ts';
import type { Requirements } from '../../../core/dispatch/rights.ts';
import { byHttp, dispatching, nothing, sender } from './dispatching.ts';

const done = (type: string) => defineListener({ type, content: nothing, handle: () => 'done' });

/** The answer to a frame of a sender with these rights and claims, on a connection and by `POST /messages`. */
async function answers(listeners: readonly Listener[], type: string, token: object): Promise<unknown[]> {
  const { dispatch } = dispatching(listeners, (asked) =>
    asked.startsWith('crm-') ? done(asked) : undefined,
  );
  const texts = [sender, byHttp].map((from) =>
    dispatch(`{"type":"${type}","id":"a"}`, { ...from, ...token }),
  );
  return (await Promise.all(texts)).map(({ text }): unknown => JSON.parse(text));
}

const ack = { type: 'ack', id: 'a', content: 'done' };
const forbidden = (message: string) => ({ type: 'error', id: 'a', content: { code: 'forbidden', message } });

describe('the types that a token allows', () => {
  const listeners = [done('order-create'), done('chat')];
  const withSend = (send?: readonly string[]) => ({ rights: { topics: [], send, watch: [] } });

  it.each([
    ['order-create', undefined],
    ['order-create', ['order-*']],
    ['chat', ['order-*', 'chat']],
    ['crm-find', ['crm-*']],
  ])('let %s pass with %j', async (type, send) => {
    expect(await answers(listeners, type, withSend(send))).toEqual([ack, ack]);
  });

  it.each([
    ['chat', ['order-*']],
    ['order-create', []],
    ['crm-find', ['order-*']],
  ])('make %s forbidden with %j', async (type, send) => {
    const error = forbidden(`type: the token does not allow "${type}"`);
    expect(await answers(listeners, type, withSend(send))).toMatchObject([error, error]);
  });

  it('do not limit the types of the protocol', async () => {
    const protocol = [done('subscribe'), done('inbox-list')];
    for (const type of ['subscribe', 'inbox-list'])
      expect(await answers(protocol, type, withSend([]))).toEqual([ack, ack]);
  });

  it('leave a type unknown that nobody handles', async () => {
    expect(await answers(listeners, 'nope', withSend([]))).toMatchObject([
      { content: { code: 'unknown_type' } },
      { content: { code: 'unknown_type' } },
    ]);
  });
});

describe('a listener that requires claims', () => {
  const refund = (requires: Requirements) => [
    defineListener({ type: 'refund', content: nothing, requires, handle: () => 'done' }),
  ];

  it.each([
    [{ role: 'admin' }, { role: 'admin' }],
    [{ role: ['owner', 'admin'] }, { role: 'admin' }],
    [{ role: 'admin' }, { role: '["member","admin"]' }],
    [{ level: '7' }, { level: '[6,7]' }],
    [{ role: '[draft' }, { role: '[draft' }],
    [
      { role: 'admin', region: ['eu', 'us'] },
      { role: 'admin', region: 'us', other: 'x' },
    ],
  ])('of %j runs for the claims %j', async (requires, claims) => {
    expect(await answers(refund(requires), 'refund', { claims })).toEqual([ack, ack]);
  });

  it.each([
    [{ role: 'admin' }, {}],
    [{ role: 'admin' }, { role: 'Admin' }],
    [{ role: 'admin' }, { role: 'administrator' }],
    [{ role: 'admin' }, { role: '["member","admins"]' }],
    [{ role: 'admin' }, { role: '[["admin"]]' }],
    [{ role: 'admin' }, { role: '{"admin":true}' }],
    [{ role: [] }, { role: 'admin' }],
    [
      { region: 'eu', role: 'admin' },
      { region: 'eu', role: 'member' },
    ],
  ])('of %j is forbidden for the claims %j, by the name of the claim alone', async (requires, claims) => {
    const error = forbidden('type: the claim "role" of the token does not allow this type');
    expect(await answers(refund(requires), 'refund', { claims })).toMatchObject([error, error]);
  });

  it('is not satisfied by what every object inherits', async () => {
    const error = { content: { code: 'forbidden' } };
    const listeners = refund({ constructor: '' });
    expect(await answers(listeners, 'refund', { claims: {} })).toMatchObject([error, error]);
  });

  it('refuses before its schema reads the content', async () => {
    const listener = defineListener({
      type: 'refund',
      content: z.object({ orderId: z.number() }),
      requires: { role: 'admin' },
      handle: () => 'done',
    });
    expect(await answers([listener], 'refund', { claims: {} })).toMatchObject([
      { content: { code: 'forbidden' } },
      { content: { code: 'forbidden' } },
    ]);
  });
});

describe('the claims of a sender', () => {
  const claims = { role: 'admin' };

  it('reach the listener, and no receiver', async () => {
    const tell = defineListener({
      type: 'tell',
      content: nothing,
      async handle({ from, reply, send }) {
        await reply('told', 1);
        await send('everyone', 'told', 1);
        return from;
      },
    });
    const { dispatch, published, replied } = dispatching([tell]);
    const { text } = await dispatch('{"type":"tell","id":"a"}', { ...sender, claims });
    const identity = { tenant: 'acme', userType: 'member', userId: '1' };
    expect(JSON.parse(text)).toMatchObject({ content: { ...identity, claims } });
    expect(published).toMatchObject([{ from: identity }]);
    expect(published[0]?.from).not.toHaveProperty('claims');
    expect(replied[0]?.to.identity).not.toHaveProperty('claims');
    await dispatch('{"type":"tell","id":"a"}', { ...byHttp, claims });
    for (const { from } of published) expect(from).not.toHaveProperty('claims');
  });

  it('are absent if the token has none', async () => {
    const who = defineListener({ type: 'who', content: nothing, handle: ({ from }) => from });
    const { text } = await dispatching([who]).dispatch('{"type":"who","id":"a"}', sender);
    expect(JSON.parse(text)).toMatchObject({ content: { userId: '1' } });
    expect(text).not.toContain('claims');
  });
});
