import { describe, expect, it } from 'vitest';
import { createSubscribeListeners } from '../../../core/dispatch/subscribe.ts';
import { maxTopicsPerSession, readPublishRequest } from '../../../protocol/index.ts';
import { contextOf, type Core, idsOf, sessionOf, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const from = { tenant: 'default', userType: 'member', userId: '1' };
const { connectionId, connectedAt, tokenExpiresAt } = sessionOf('c1=');
const session = { connectionId, connectedAt, tokenExpiresAt };

async function withSession(): Promise<Core> {
  const core = await dynamodb.create({ shards: 1 });
  await core.sessions.add(sessionOf('c1='));
  return core;
}

/** The answer to a frame of a session whose token allows the topics `orders.*`. */
async function ask(core: Core, type: string, content: unknown): Promise<unknown> {
  const listener = createSubscribeListeners(core).find((each) => each.type === type);
  if (!listener) throw new Error(`There is no ${type}.`);
  const { handle } = await listener.accept(content);
  return handle(contextOf({ from, session }, ['orders.*']));
}

async function subscribersOf({ recipients }: Core, topic: string): Promise<string[]> {
  return idsOf((await recipients.ofTopic({ tenant: 'default', topic, shard: 0 })).recipients);
}

function publish(core: Core, content: unknown) {
  const request = { to: 'topic:orders.eu', type: 'n', content, durable: true };
  return core.publish(readPublishRequest(request));
}

describe('subscribe', () => {
  it('adds the session to the topic, and returns the position of its log', async () => {
    const core = await withSession();
    await publish(core, 1);
    expect(await ask(core, 'subscribe', { topic: 'orders.eu' })).toMatchObject({
      topic: 'orders.eu',
      offset: 1,
      recovered: true,
    });
    expect(await subscribersOf(core, 'orders.eu')).toEqual(['c1=']);
    expect(core.connections.calls).toEqual([]);
  });

  it('with a position sends the messages after it first', async () => {
    const core = await withSession();
    for (const content of [1, 2, 3]) await publish(core, content);
    const { epoch } = await core.logs.open({ tenant: 'default', channel: 'topic:orders.eu' });
    const content = { topic: 'orders.eu', epoch, offset: 1 };
    expect(await ask(core, 'subscribe', content)).toMatchObject({ offset: 3, recovered: true });
    expect(core.connections.framesTo('c1=')).toMatchObject([{ content: 2 }, { content: 3 }]);
  });

  it('to a topic that the token does not allow is forbidden', async () => {
    const core = await withSession();
    await expect(ask(core, 'subscribe', { topic: 'prices' })).rejects.toMatchObject({
      code: 'forbidden',
      message: 'content.topic: the token allows no subscription to prices',
    });
    expect(await subscribersOf(core, 'prices')).toEqual([]);
  });

  it('beyond the most topics of a session is forbidden, and says how many these are', async () => {
    const core = await withSession();
    for (let at = 0; at < maxTopicsPerSession; at += 1)
      await core.subscriptions.subscribe({ identity: from, ...session }, `t${String(at)}`, ['*']);
    await expect(ask(core, 'subscribe', { topic: 'orders.eu' })).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining(String(maxTopicsPerSession)) as string,
    });
    expect(await subscribersOf(core, 'orders.eu')).toEqual([]);
  });

  it('of a session that has been closed is not_found', async () => {
    const core = await dynamodb.create({ shards: 1 });
    const asked = ask(core, 'subscribe', { topic: 'orders.eu' });
    await expect(asked).rejects.toMatchObject({ code: 'not_found' });
    expect(await subscribersOf(core, 'orders.eu')).toEqual([]);
  });

  it.each([
    [{ topic: 'orders.eu', epoch: 'e' }, 'content.offset: is required with epoch'],
    [{ topic: 'orders.eu', offset: 1 }, 'content.epoch: is required with offset'],
  ])('with half of a position is bad_content: %j', async (content, message) => {
    const asked = ask(await withSession(), 'subscribe', content);
    await expect(asked).rejects.toMatchObject({ code: 'bad_content', message });
  });
});

describe('a frame about the connection', () => {
  it.each(['subscribe', 'unsubscribe'])('is refused if it came by POST /messages: %s', async (type) => {
    const core = await withSession();
    const listener = createSubscribeListeners(core).find((each) => each.type === type);
    const accepted = await listener?.accept({ topic: 'orders.eu' });
    const handled = accepted?.handle(contextOf({ from, session: undefined }, ['orders.*']));
    await expect(handled).rejects.toMatchObject({ code: 'bad_frame', details: [{ field: 'type' }] });
    expect(await subscribersOf(core, 'orders.eu')).toEqual([]);
  });
});

describe('unsubscribe', () => {
  it('takes the session out of this topic only', async () => {
    const core = await withSession();
    for (const topic of ['orders.eu', 'orders.us']) await ask(core, 'subscribe', { topic });
    expect(await ask(core, 'unsubscribe', { topic: 'orders.eu' })).toEqual({ topic: 'orders.eu' });
    expect(await subscribersOf(core, 'orders.eu')).toEqual([]);
    expect(await subscribersOf(core, 'orders.us')).toEqual(['c1=']);
  });
});
