import { describe, expect, it } from 'vitest';
import { useDynamoDB } from '../core-under-test.ts';
import { own, publish, refusal } from './recover-under-test.ts';

const dynamodb = useDynamoDB();

describe('recover is refused', () => {
  it.each([
    ["another user's channel", 'user:member:2'],
    ['the channel of a user of another type', 'user:admin:1'],
    ['another type', 'type:admin'],
    ['a topic that the token does not allow', 'topic:chat'],
  ])('for %s, and no other channel is sent either', async (_what, channel) => {
    const core = await dynamodb.create();
    await publish(core, 1);
    const refused = await refusal(core, [{ channel: own, epoch: '' }, { channel }]);
    expect(refused).toMatchObject({
      code: 'forbidden',
      details: [{ field: 'content.channels[1].channel' }],
    });
    expect(core.connections.calls).toEqual([]);
  });

  it.each([
    [[{ channel: 'session:c1=' }], 'content.channels[0].channel'],
    [[{ channel: 'nobody' }], 'content.channels[0].channel'],
    [[{ channel: own, epoch: 'e' }], 'content.channels[0].offset'],
    [[{ channel: own, offset: 1 }], 'content.channels[0].epoch'],
    [[{ channel: own, epoch: 'e', offset: -1 }], 'content.channels[0].offset'],
    [[{ channel: own, epoch: 'e', offset: 1.5 }], 'content.channels[0].offset'],
    [[{ channel: own }, { channel: 'everyone' }, { channel: 'user' }], 'content.channels[2].channel'],
    [Array.from({ length: 129 }, () => ({ channel: own })), 'content.channels'],
  ])('with bad content: %j names %s', async (channels, field) => {
    const core = await dynamodb.create();
    expect(await refusal(core, channels)).toMatchObject({ code: 'bad_content', details: [{ field }] });
  });
});
