import { describe, expect, it } from 'vitest';
import { callListener } from 'switchboard/testing';
import { createListeners } from '../../examples/compatibility/rayframework/create-listeners.ts';
import { readMessage } from '../../examples/compatibility/rayframework/message.ts';
import serverEndpoint from '../../examples/compatibility/server-endpoint/listeners.ts';
import smartWebSocket from '../../examples/compatibility/smart-web-socket/listeners.ts';

const text = '{"code":2,"msg":"data:,"}';
const from = { userId: '1' };

function rayListeners(...waiters: readonly string[]) {
  return createListeners({
    add: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    list: () => Promise.resolve(waiters),
  });
}

describe('the text of a page of RayFramework', () => {
  it.each([
    [text, { code: 2, msg: 'data:,' }],
    ['{"msg":"hi"}', { code: 1, msg: 'hi' }],
    ['{"code":3,"msg":"hi"}', { code: 1, msg: '{"code":3,"msg":"hi"}' }],
    ['123', { code: 1, msg: '123' }],
    ['{', { code: 1, msg: '{' }],
  ])('%s is read as %j', (written, message) => {
    expect(readMessage(written)).toEqual(message);
  });

  it('goes to pages as it is, and to others as a frame', async () => {
    const { sent, text: answer } = await callListener(rayListeners('member:2', 'agent:3'), text, { from });
    expect(sent).toEqual([
      { to: ['user:member:2'], text },
      { to: ['user:agent:3'], type: 'rayim-message', content: { code: 2, msg: 'data:,' } },
    ]);
    expect(answer).toBeUndefined();
  });

  it('does not come back to a waiter who sent it', async () => {
    const { sent } = await callListener(rayListeners('member:1', 'member:2'), text, { from });
    expect(sent).toEqual([{ to: ['user:member:2'], text }]);
  });

  it.each([
    ['there is no waiter', rayListeners(), 1],
    ['no waiter is online', rayListeners('member:2'), 0],
  ])('is answered if %s', async (_what, listeners, delivered) => {
    const { text: answer } = await callListener(listeners, text, { from, answer: () => ({ delivered }) });
    expect(answer).toBe('{"code":1,"msg":"Nobody is on duty."}');
  });

  it('that is a heartbeat is forwarded to nobody', async () => {
    const { sent, text: answer } = await callListener(rayListeners('member:2'), 'rayHeartBeat', { from });
    expect([answer, sent]).toEqual(['rayImHeartBeatFeedback', []]);
  });
});

describe('an answer to one account of RayFramework', () => {
  const frame = { type: 'rayim-message', content: { msg: 'hi', toStaffId: '7' } };

  it('reaches the pages of the account', async () => {
    const { sent } = await callListener(rayListeners('agent:1'), frame, {
      from: { userType: 'agent', userId: '1' },
    });
    expect(sent).toEqual([{ to: ['user:member:7'], text: '{"code":1,"msg":"hi"}' }]);
  });

  it('needs a waiter as its sender', async () => {
    const { sent, error } = await callListener(rayListeners('agent:1'), frame, { from });
    expect(error).toMatchObject({ code: 'forbidden' });
    expect(sent).toEqual([]);
  });
});

describe('topic-publish', () => {
  const frame = { type: 'topic-publish', content: { topic: 'CC', message: { n: 1 } } };

  it('publishes to a topic of the token', async () => {
    const { sent } = await callListener(smartWebSocket, frame, { topics: ['C*'] });
    expect(sent).toEqual([{ to: ['topic:CC'], type: 'topic-message', content: { n: 1 } }]);
  });

  it('refuses any other topic', async () => {
    const { sent, error } = await callListener(smartWebSocket, frame, { topics: ['D*'] });
    expect(error).toMatchObject({ code: 'forbidden' });
    expect(sent).toEqual([]);
  });
});

it('a text to a @ServerEndpoint goes to both kinds of pages', async () => {
  const { sent } = await callListener(serverEndpoint, 'changed');
  expect(sent).toEqual([
    { to: ['type:member'], text: 'changed' },
    { to: ['type:web'], type: 'text-message', content: { text: 'changed' } },
  ]);
});
