import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { createDispatch } from '../../../core/dispatch/dispatch.ts';
import { defineListener } from '../../../core/dispatch/define-listener.ts';
import type { Listener } from '../../../core/dispatch/listener.ts';
import { createFindTarget } from '../../../core/targets/find-target.ts';
import type { Sender } from '../../../core/dispatch/context.ts';
import { createTestClock, startOfTime } from '../core-under-test.ts';
import { json, useEndpoint } from './endpoint.ts';

const endpoint = useEndpoint();
const session = { connectionId: 'c1=', connectedAt: startOfTime - 5, tokenExpiresAt: startOfTime + 5 };
const sender: Sender = {
  identity: { tenant: 'acme', userType: 'member', userId: '42' },
  rights: { topics: ['orders.*'], watch: [] },
  claims: {},
  session,
};

/** A dispatch. Each pattern has its own path at the endpoint. */
function dispatchTo(patterns: readonly string[], listeners: readonly Listener[] = []) {
  const logged: unknown[] = [];
  const log = (...entry: unknown[]) => logged.push(...entry);
  const unused = () => Promise.reject(new Error('A target publishes nothing.'));
  const settings = patterns.map((pattern) => {
    return { pattern, url: `${endpoint.url}/${pattern}`, secret: 'secret', timeoutMs: 5000 };
  });
  const findTarget = createFindTarget(settings, {
    readSecret: () => Promise.resolve('A'.repeat(32)),
    endpoint: undefined,
    clock: createTestClock(),
  });
  const dispatch = createDispatch({
    listeners,
    findTarget,
    publish: unused,
    reply: unused,
    presence: { ofUsers: unused },
    countSessions: unused,
    logger: { debug: log, info: log, warn: log, error: log },
  });
  const ask = async (frame: unknown, from = sender) => {
    return JSON.parse((await dispatch(JSON.stringify(frame), from)).text) as unknown;
  };
  return { ask, logged, findTarget };
}

async function sent(): Promise<unknown> {
  return JSON.parse((await endpoint.requests.next()).body);
}

describe('a frame for a target', () => {
  it('is sent as the object of docs/targets.md, and the answer becomes the ack', async () => {
    endpoint.respond = json({ content: { orderId: 7 } });
    const { ask } = dispatchTo(['order-*']);
    expect(await ask({ type: 'order-create', id: 'f1', content: { sku: 'a' } })).toEqual({
      type: 'ack',
      id: 'f1',
      content: { orderId: 7 },
    });
    expect(await sent()).toEqual({
      kind: 'message',
      messageId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/) as unknown,
      type: 'order-create',
      content: { sku: 'a' },
      from: sender.identity,
      session,
      topics: ['orders.*'],
      sentAt: startOfTime,
    });
  });

  it('brings the claims of the sender', async () => {
    endpoint.respond = json({ content: null });
    const { ask } = dispatchTo(['order-*']);
    await ask({ type: 'order-create', id: 'f1' }, { ...sender, claims: { role: 'admin' } });
    expect(await sent()).toMatchObject({
      from: { tenant: 'acme', userType: 'member', userId: '42', claims: { role: 'admin' } },
    });
  });

  it('has a message id of its own each time', async () => {
    const { ask } = dispatchTo(['x']);
    await ask({ type: 'x', id: 'same' });
    await ask({ type: 'x', id: 'same' });
    const ids = endpoint.requests.values.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(2);
  });

  it('has a null session if it came by POST /messages, and a null content if it had none', async () => {
    const { ask } = dispatchTo(['x']);
    expect(await ask({ type: 'x', id: '1' }, { ...sender, session: undefined })).toMatchObject({
      content: null,
    });
    expect(await sent()).toMatchObject({ session: null, content: null });
  });

  it('keeps content that is JSON text as text', async () => {
    const { ask } = dispatchTo(['x']);
    await ask({ type: 'x', content: '{"a":1}' });
    expect(await sent()).toMatchObject({ content: '{"a":1}' });
  });

  it('is refused in the words of the target', async () => {
    endpoint.respond = json({ error: { code: 'conflict', message: 'sold out' } });
    const { ask, logged } = dispatchTo(['x']);
    const content = { code: 'conflict', message: 'sold out', requestType: 'x' };
    expect(await ask({ type: 'x', id: '1' })).toEqual({ type: 'error', id: '1', content });
    expect(logged).toEqual([]);
  });

  it.each([
    ['status 500', json({ error: { code: 'conflict', message: 'swordfish' } }, 500)],
    ['another form', json({ message: 'swordfish' })],
    ['no JSON', json('swordfish')],
  ])(
    'is internal if the answer has %s; the log names the target, and the client gets no text of it',
    async (_name, respond) => {
      endpoint.respond = respond;
      const { ask, logged } = dispatchTo(['x']);
      const answer = await ask({ type: 'x', id: '1' });
      expect(answer).toMatchObject({ type: 'error', content: { code: 'internal' } });
      expect(JSON.stringify(answer)).not.toContain('swordfish');
      expect(logged).toEqual([
        'listener failed',
        {
          type: 'x',
          connectionId: 'c1=',
          cause: expect.objectContaining({
            message: `The target x (${new URL(endpoint.url).host}) failed.`,
            cause: expect.any(Error) as unknown,
          }) as unknown,
        },
      ]);
    },
  );
});

describe('a frame that a target could take', () => {
  it('goes to the listener of its type, if there is one, and a ping to none', async () => {
    const known = defineListener({ type: 'known', content: z.unknown(), handle: () => 'from the listener' });
    const { ask } = dispatchTo(['*'], [known]);
    expect(await ask({ type: 'known', id: '1' })).toMatchObject({ content: 'from the listener' });
    expect(await ask({ type: 'ping', id: '2' })).toMatchObject({ type: 'pong', id: '2' });
    expect(endpoint.requests.values).toEqual([]);
  });
});

describe('the target of a type', () => {
  const patterns = ['*', 'order-*', 'order-create', 'order-create-*', 'o*'];

  it.each([
    ['order-create', '/order-create'],
    ['order-create-now', '/order-create-*'],
    ['order-cancel', '/order-*'],
    ['order-', '/order-*'],
    ['other', '/o*'],
    ['x', '/*'],
  ])('%s is the most specific one, in any order', async (type, path) => {
    for (const given of [patterns, patterns.toReversed()]) {
      await dispatchTo(given).ask({ type });
      expect((await endpoint.requests.next()).path).toBe(path);
    }
  });

  it.each(['order', 'Order-create', 'reorder-create'])('%s is none if no pattern matches', (type) => {
    expect(dispatchTo(['order-*', 'order-create']).findTarget(type)).toBeUndefined();
  });

  it.each(['ack', 'error', 'pong', 'closing'])('%s is none, because only the server sends it', (type) => {
    expect(dispatchTo(['*']).findTarget(type)).toBeUndefined();
  });
});
