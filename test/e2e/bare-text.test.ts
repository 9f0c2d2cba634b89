import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesise } from '../../scripts/synthesise.ts';
import { type Stack, startStack } from './stack.ts';

const root = path.join(import.meta.dirname, '../..');
const code = `
import { defineTextListener, Refusal } from 'switchboard/listener';

export default [
  defineTextListener({
    matches: (text) => text === 'rayHeartBeat',
    handle: () => 'rayImHeartBeatFeedback',
  }),
  defineTextListener({
    async handle({ text, from, sendText }) {
      if (text === 'refuse') throw new Refusal('conflict', 'sold out');
      await sendText('user:member:' + text, '{"code":1,"msg":"from ' + from.userId + '"}');
    },
  }),
];
`;

let stack: Stack;
beforeAll(async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-text-'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
  mkdirSync(path.join(folder, 'lib'));
  const listeners = path.join(folder, 'lib/listeners.ts');
  writeFileSync(listeners, code);
  const assembly = path.join(folder, 'cdk.out');
  await synthesise(assembly, {
    context: { listeners, inlineLimit: 2, durableTopics: 'kept', textContentFor: 'legacy' },
  });
  stack = await startStack({ assembly });
});
afterAll(() => stack.close());

const text = '{"code":1,"msg":"hi \\u00e9"}';

describe('bare text that a service publishes', () => {
  it('reaches sessions as it is, whatever their form of content', async () => {
    const member = await stack.connect({ user: 'one' });
    const legacy = await stack.connect({ user: 'one', type: 'legacy' });
    const answer = await stack.publish({ to: ['user:member:one', 'user:legacy:one'], text });
    expect(answer).toMatchObject({ status: 200, body: { status: 'delivered', delivered: 2 } });
    for (const client of [member, legacy]) expect(await client.nextText()).toBe(text);
  });

  it('reaches a large audience by the fan-out', async () => {
    const clients = await Promise.all(
      ['a', 'b', 'c'].map((user) => stack.connect({ user, type: user === 'c' ? 'legacy' : 'crowd' })),
    );
    const to = ['type:crowd', 'user:legacy:c'];
    expect(await stack.publish({ to, text: 'hello' })).toMatchObject({ status: 202 });
    for (const client of clients) expect(await client.nextText()).toBe('hello');
  });

  it('is published once per messageId, and reported', async () => {
    const messageId = '6f1ab0a4-0000-4000-8000-000000000001';
    const request = { to: 'user:member:nobody', text, messageId };
    const first = await stack.publish(request);
    expect(await stack.publish(request)).toEqual(first);
    expect(await stack.publish({ ...request, text: 'other' })).toMatchObject({ status: 409 });
    expect(await stack.call('GET', `/publications/${messageId}`)).toMatchObject({ body: { status: 'done' } });
  });

  it('is in no log, also not in that of a durable topic', async () => {
    expect((await stack.publish({ to: 'topic:kept', text })).body).not.toHaveProperty('offset');
    expect(await stack.call('GET', '/channels/topic%3Akept/messages')).toMatchObject({ body: { head: 0 } });
  });

  it('above 128 KB is 413', async () => {
    expect(await stack.publish({ to: 'everyone', text: 'x'.repeat(131_073) })).toMatchObject({
      status: 413,
      body: { error: { code: 'too_large', details: [{ field: 'text' }] } },
    });
  });
});

describe('bare text of a client', () => {
  it('is answered by the text of its listener', async () => {
    const client = await stack.connect({ user: 'ray' });
    client.send('rayHeartBeat');
    expect(await client.nextText()).toBe('rayImHeartBeatFeedback');
    client.send('ping');
    expect(await client.nextText()).toBe('pong');
  });

  it('reaches another user as bare text, and the sender gets nothing', async () => {
    const [sender, receiver] = [await stack.connect({ user: 'sam' }), await stack.connect({ user: 'rita' })];
    sender.send('rita');
    expect(await receiver.nextText()).toBe('{"code":1,"msg":"from sam"}');
    await sender.expectSilence();
  });

  it('that is refused is answered by an error frame', async () => {
    const client = await stack.connect({ user: 'rob' });
    expect(await client.ask('refuse')).toMatchObject({ type: 'error', content: { code: 'conflict' } });
  });

  it('may come by POST /messages: the answer is the text, or empty', async () => {
    const url = new URL(await stack.webSocketUrl({ user: 'poster' }));
    const authorization = `Bearer ${url.searchParams.get('token') ?? ''}`;
    const post = (body: string) =>
      fetch(`${stack.url}/messages`, { method: 'POST', headers: { authorization }, body });
    const answered = await post('rayHeartBeat');
    expect(answered.status).toBe(200);
    expect(answered.headers.get('content-type')).toContain('text/plain');
    expect(await answered.text()).toBe('rayImHeartBeatFeedback');
    expect(await (await post('nobody')).text()).toBe('');
    expect((await post('refuse')).status).toBe(409);
  });
});
