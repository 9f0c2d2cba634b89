import { describe, expect, it } from 'vitest';
import { defineListener } from '../../../core/dispatch/define-listener.ts';
import { byHttp, dispatching, nothing, sender } from './dispatching.ts';

describe('the rights of the sender', () => {
  it.each([
    ['on a connection', sender],
    ['by POST /messages', byHttp],
  ])('are known to a listener %s', async (_way, from) => {
    const rights = defineListener({
      type: 'rights',
      content: nothing,
      handle: ({ topics: { patterns, allows } }) => [patterns, allows('orders.7'), allows('prices')],
    });
    const { dispatch } = dispatching([rights]);
    const { text } = await dispatch('{"type":"rights","id":"a"}', from);
    expect(JSON.parse(text)).toMatchObject({ content: [['orders.*'], true, false] });
  });
});

describe('the sessions that a listener counts', () => {
  it('are those of the tenant of the sender', async () => {
    const count = defineListener({
      type: 'count',
      content: nothing,
      handle: ({ sessions }) => sessions.count('type:agent'),
    });
    const { dispatch, counted } = dispatching([count]);
    const { text } = await dispatch('{"type":"count","id":"a"}', sender);
    expect(JSON.parse(text)).toMatchObject({ type: 'ack', content: 7 });
    expect(counted).toEqual([['acme', 'type:agent']]);
  });
});

describe('the log of a listener', () => {
  it('carries the type and the connection id, which no field replaces', async () => {
    const noisy = defineListener({
      type: 'noisy',
      content: nothing,
      handle({ log }) {
        log.debug('one');
        log.info('two', { orderId: 7, type: 'forged' });
        log.warn('three');
        log.error('four', { cause: new Error('lost') });
      },
    });
    const { dispatch, logged } = dispatching([noisy]);
    await dispatch('{"type":"noisy"}', sender);
    const fields = { type: 'noisy', connectionId: 'c1=' };
    expect(logged).toEqual([
      ['debug', 'one', fields],
      ['info', 'two', { ...fields, orderId: 7 }],
      ['warn', 'three', fields],
      ['error', 'four', { ...fields, cause: new Error('lost') }],
    ]);
  });

  it('has no connection id for a frame that came by POST /messages', async () => {
    const noisy = defineListener({ type: 'noisy', content: nothing, handle: ({ log }) => log.info('one') });
    const { dispatch, logged } = dispatching([noisy]);
    await dispatch('{"type":"noisy"}', byHttp);
    expect(logged).toEqual([['info', 'one', { type: 'noisy', connectionId: undefined }]]);
  });
});
