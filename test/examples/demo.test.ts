import { describe, expect, it } from 'vitest';
import { createDispatch } from '../../../core/dispatch/dispatch.ts';
import { listeners } from '../../../core/listeners/index.ts';
import { type Core, sessionOf, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const { connectionId, connectedAt, tokenExpiresAt } = sessionOf('one');
const sender = {
  identity: { tenant: 'default', userType: 'member', userId: '1' },
  session: { connectionId, connectedAt, tokenExpiresAt, topics: [] },
};

describe('demo-message-send', () => {
  it.each([7, '7'])('goes to the one user that toUserId names: %j', async (toUserId) => {
    const { core, dispatch } = await demo();
    expect(await send(dispatch, { text: 'hi', toUserId })).toMatchObject({
      type: 'ack',
      content: { delivered: 1 },
    });
    expect(receivers(core)).toEqual(['seven']);
    expect(core.connections.framesTo('seven')).toMatchObject([
      {
        type: 'demo-message-receive',
        content: { fromUserId: '1', text: 'hi', single: true },
        from: sender.identity,
      },
    ]);
  });

  it.each([{ toUserId: '' }, { toUserId: null }, {}])(
    'goes to everyone of the type of the sender if its content has %j',
    async (to) => {
      const { core, dispatch } = await demo();
      expect(await send(dispatch, { text: 'hi', ...to })).toMatchObject({
        type: 'ack',
        content: { delivered: 2 },
      });
      expect(receivers(core)).toEqual(['one', 'seven']);
      expect(core.connections.framesTo('one')).toMatchObject([{ content: { single: false } }]);
    },
  );

  it('goes to a user whose id is the number 0', async () => {
    const { core, dispatch } = await demo();
    await core.sessions.add(sessionOf('zero', { userId: '0' }));
    expect(await send(dispatch, { text: 'hi', toUserId: 0 })).toMatchObject({ content: { delivered: 1 } });
    expect(receivers(core)).toEqual(['zero']);
  });

  it.each(
    ['a:b', 'member#7', 'ä', ' ', 'x'.repeat(129), 1.5, true, {}, ['7']].map((toUserId) => ({ toUserId })),
  )('refuses $toUserId and names the field', async ({ toUserId }) => {
    const { core, dispatch } = await demo();
    const refused = await send(dispatch, { text: 'hi', toUserId });
    expect(refused).toMatchObject({ type: 'error', content: { code: 'bad_content' } });
    expect(refused).toHaveProperty('content.message', expect.stringMatching(/^content\.toUserId: /));
    expect(core.connections.calls).toEqual([]);
  });

  it('refuses content without text', async () => {
    const { dispatch } = await demo();
    expect(await send(dispatch, { toUserId: '7' })).toMatchObject({
      content: { code: 'bad_content', message: 'content.text: is required' },
    });
  });

  it('takes its content as a string, and then answers and sends strings', async () => {
    const { core, dispatch } = await demo();
    expect(await send(dispatch, '{"text":"hi","toUserId":7}')).toEqual({
      type: 'ack',
      id: 'a',
      content: expect.stringMatching(/^\{"messageId":.*"delivered":1/) as string,
    });
    expect(core.connections.framesTo('seven')).toMatchObject([
      { content: '{"fromUserId":"1","text":"hi","single":true}' },
    ]);
  });
});

describe('the table of listeners', () => {
  it('holds each type once', () => {
    const types = listeners.map(({ type }) => type);
    expect(new Set(types).size).toBe(types.length);
  });
});

async function demo() {
  const core = await dynamodb.create();
  await Promise.all(
    [
      sessionOf('one'),
      sessionOf('seven', { userId: '7' }),
      sessionOf('admin-7', { userId: '7', userType: 'admin' }),
      sessionOf('other-7', { userId: '7', tenant: 'other' }),
    ].map((session) => core.sessions.add(session)),
  );
  return { core, dispatch: createDispatch({ ...core, listeners }) };
}

async function send(dispatch: ReturnType<typeof createDispatch>, content: unknown): Promise<unknown> {
  const text = JSON.stringify({ type: 'demo-message-send', id: 'a', content });
  return JSON.parse((await dispatch(text, sender)).text);
}

function receivers(core: Core): string[] {
  return core.connections.calls.map(({ connectionId }) => connectionId).sort();
}
