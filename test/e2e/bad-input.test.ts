import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { startStack, type Stack } from './stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

describe('a frame', () => {
  let client: Client;
  beforeAll(async () => {
    client = await stack.connect({ user: 'frames' });
  });

  it.each<[string, unknown, Record<string, unknown>]>([
    [
      'of broken JSON',
      '{"type":',
      { content: { code: 'bad_frame', message: expect.stringContaining('JSON') as string } },
    ],
    [
      'that is not an object',
      '[]',
      { content: { code: 'bad_frame', message: expect.any(String) as string } },
    ],
    [
      'without a type',
      { id: 'a' },
      { id: 'a', content: { code: 'bad_frame', message: expect.stringContaining('frame.type') as string } },
    ],
    [
      'with an id of 65 characters',
      { type: 'ping', id: 'x'.repeat(65) },
      {
        content: {
          code: 'bad_frame',
          message: expect.stringMatching(/frame\.id.*64/) as string,
          requestType: 'ping',
        },
      },
    ],
    [
      'of an unknown type',
      { type: 'nope', id: 'b' },
      {
        id: 'b',
        content: {
          code: 'unknown_type',
          message: expect.stringContaining('nope') as string,
          requestType: 'nope',
        },
      },
    ],
    [
      'whose content fails its schema',
      { type: 'demo-message-send', content: { text: 5 }, id: 'c' },
      {
        id: 'c',
        content: {
          code: 'bad_content',
          message: expect.stringContaining('content.text') as string,
          requestType: 'demo-message-send',
        },
      },
    ],
    [
      'to a user id with forbidden characters',
      { type: 'demo-message-send', content: { text: 'x', toUserId: 'a b' }, id: 'd' },
      {
        id: 'd',
        content: {
          code: 'bad_content',
          message: expect.stringContaining('content.toUserId') as string,
          requestType: 'demo-message-send',
        },
      },
    ],
  ])('%s gets an error that names the fault, and the connection stays open', async (_what, frame, error) => {
    expect(await client.ask(frame)).toEqual({ type: 'error', ...error });
    await client.expectSilence();
  });

  it('above 32 KB closes the connection with 1009, and one of 32 KB does not', async () => {
    const sender = await stack.connect({ user: 'large' });
    const frame = (bytes: number) =>
      JSON.stringify({ type: 'nope', pad: '' }).replace('""', `"${'x'.repeat(bytes - 24)}"`);
    expect(frame(32 * 1024)).toHaveLength(32 * 1024);
    expect(await sender.ask(frame(32 * 1024))).toMatchObject({ content: { code: 'unknown_type' } });
    const closed = sender.closed();
    sender.send(frame(32 * 1024 + 1));
    expect(await closed).toEqual({ code: 1009, reason: '' });
  });

  it('in binary closes the connection with 1003', async () => {
    const sender = await stack.connect({ user: 'binary' });
    const closed = sender.closed();
    sender.socket.send(Buffer.from('ping'));
    expect((await closed).code).toBe(1003);
  });

  it('cannot set from, which the server sets', async () => {
    const sender = await stack.connect({ user: 'honest', tenant: 'stamps' });
    const from = { tenant: 'other', userType: 'admin', userId: 'root' };
    sender.send({ type: 'demo-message-send', content: { text: 'hi' }, from });
    expect(await sender.next()).toMatchObject({
      type: 'demo-message-receive',
      from: { tenant: 'stamps', userType: 'member', userId: 'honest' },
      content: { fromUserId: 'honest', text: 'hi', single: false },
    });
  });
});

describe('a publish', () => {
  const good = { to: 'user:member:1', type: 'x', content: 1 };

  it.each<[string, unknown, number, string, string]>([
    ['is not JSON', '{', 400, 'bad_request', 'body'],
    ['names no target', { ...good, to: undefined }, 400, 'bad_request', 'to'],
    ['names an empty list', { ...good, to: [] }, 400, 'bad_request', 'to'],
    ['names 101 targets', { ...good, to: Array(101).fill('everyone') }, 400, 'bad_request', 'to'],
    ['names an unknown target', { ...good, to: 'room:1' }, 400, 'bad_request', 'to'],
    ['names an unknown target in a list', { ...good, to: ['everyone', 'all'] }, 400, 'bad_request', 'to[1]'],
    ['names a forbidden user id', { ...good, to: 'user:member:a b' }, 400, 'bad_request', 'to'],
    [
      'names a user id of 129 characters',
      { ...good, to: `user:member:${'a'.repeat(129)}` },
      400,
      'bad_request',
      'to',
    ],
    ['names a forbidden tenant', { ...good, tenant: 'a#b' }, 400, 'bad_request', 'tenant'],
    ['has no type', { ...good, type: undefined }, 400, 'bad_request', 'type'],
    ['has a type of the server', { ...good, type: 'closing' }, 400, 'bad_request', 'type'],
    ['has no content', { ...good, content: undefined }, 400, 'bad_request', 'content'],
    ['has a messageId that is not a UUID', { ...good, messageId: '1' }, 400, 'bad_request', 'messageId'],
    ['has a report of another kind', { ...good, report: 'all' }, 400, 'bad_request', 'report'],
    ['has an unknown field', { ...good, ttl: 5 }, 400, 'bad_request', 'ttl'],
    [
      'is nested 50,000 levels deep',
      `{"to":"everyone","type":"x","content":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      400,
      'bad_request',
      'content',
    ],
    ['makes a frame above 128 KB', { ...good, content: 'x'.repeat(128 * 1024) }, 413, 'too_large', 'content'],
  ])('that %s is refused by field', async (_what, body, status, code, field) => {
    const answer = await stack.call('POST', '/publish', body);
    expect(answer).toMatchObject({ status, body: { error: { code, details: [{ field }] } } });
  });

  it('without a signature is answered with 403, and an unknown path with 404', async () => {
    const unsigned = await fetch(`${stack.url}/publish`, { method: 'POST', body: JSON.stringify(good) });
    expect(unsigned.status).toBe(403);
    expect((await stack.call('GET', '/nope')).status).toBe(404);
  });

  it('of exactly 128 KB is delivered', async () => {
    const client = await stack.connect({ user: 'full' });
    const empty = JSON.stringify({ type: 'x', content: '', messageId: '0'.repeat(36) });
    const content = 'x'.repeat(128 * 1024 - empty.length);
    expect(await stack.publish({ to: 'user:member:full', type: 'x', content })).toMatchObject({
      body: { delivered: 1 },
    });
    expect(await client.nextText()).toHaveLength(128 * 1024);
  });
});

describe('a query of sessions', () => {
  it.each<[string, string]>([
    ['/sessions?limit=1001', 'limit'],
    ['/sessions?userId=42', 'userType'],
    ['/sessions?userType=a%20b', 'userType'],
    ['/sessions?userType=member&cursor=x', 'cursor'],
    ['/sessions?userType=member&page=2', 'page'],
  ])('%s is refused by field', async (path, field) => {
    expect(await stack.call('GET', path)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', details: [{ field }] } },
    });
  });
});
