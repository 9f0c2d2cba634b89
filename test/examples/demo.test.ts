import { describe, expect, it } from 'vitest';
import { callListener } from 'switchboard/testing';
import demo from '../../examples/demo/listeners.ts';

const from = { userId: '1' };

function send(content: unknown) {
  return callListener(demo, { type: 'demo-message-send', content }, { from });
}

describe('demo-message-send', () => {
  it.each([7, '7'])('goes to the one user that toUserId names: %j', async (toUserId) => {
    const { ack, sent } = await send({ text: 'hi', toUserId });
    expect(sent).toEqual([
      {
        to: ['user:member:7'],
        type: 'demo-message-receive',
        content: { fromUserId: '1', text: 'hi', single: true },
      },
    ]);
    expect(ack).toMatchObject({ status: 'delivered', delivered: 1 });
  });

  it.each([{ toUserId: '' }, { toUserId: null }, {}])(
    'goes to everyone of the type of the sender if its content has %j',
    async (to) => {
      const { sent } = await send({ text: 'hi', ...to });
      expect(sent).toMatchObject([{ to: ['type:member'], content: { single: false } }]);
    },
  );

  it('goes to a user whose id is the number 0', async () => {
    expect((await send({ text: 'hi', toUserId: 0 })).sent).toMatchObject([{ to: ['user:member:0'] }]);
  });

  it.each(
    ['a:b', 'member#7', 'ä', ' ', 'x'.repeat(129), 1.5, true, {}, ['7']].map((toUserId) => ({ toUserId })),
  )('refuses $toUserId and names the field', async ({ toUserId }) => {
    const { error, sent } = await send({ text: 'hi', toUserId });
    expect(error).toMatchObject({ code: 'bad_content', details: [{ field: 'content.toUserId' }] });
    expect(sent).toEqual([]);
  });

  it('refuses content without text', async () => {
    expect(await send({ toUserId: '7' })).toMatchObject({
      error: { code: 'bad_content', message: 'content.text: must be a string' },
    });
  });

  it('takes its content as a string, and then answers and sends strings', async () => {
    const { ack, sent } = await send('{"text":"hi","toUserId":7}');
    expect(ack).toMatch(/^\{"messageId":.*"delivered":1/);
    expect(sent).toMatchObject([{ content: '{"fromUserId":"1","text":"hi","single":true}' }]);
  });
});
