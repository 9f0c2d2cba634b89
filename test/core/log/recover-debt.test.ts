import { describe, expect, it } from 'vitest';
import { createSubscribeListeners } from '../../../core/dispatch/subscribe.ts';
import { contextOf, type Core, type CoreOptions, sessionOf, useDynamoDB } from '../core-under-test.ts';
import { throttled } from '../recording-connections.ts';
import { identity, own, publish, recover, refusal, session, topics } from './recover-under-test.ts';

const dynamodb = useDynamoDB();
const channels = [{ channel: own, epoch: '' }];

async function coreWith(count: number, options: CoreOptions = {}): Promise<Core> {
  const core = await dynamodb.create(options);
  for (let offset = 1; offset <= count; offset += 1) await publish(core, offset);
  return core;
}

/** How many messages a client gets that asks again whenever it may, for so many seconds. */
async function postedIn(core: Core, seconds: number): Promise<number> {
  let sent = 0;
  const end = core.clock.ms + seconds * 1000;
  while (core.clock.ms < end) {
    const before = core.connections.calls.length;
    const cause: unknown = await recover(core, channels).catch((thrown: unknown) => thrown);
    sent += core.connections.calls.length - before;
    core.clock.ms += (cause as { retryAfterMs?: number }).retryAfterMs ?? 0;
  }
  return sent;
}

describe('the messages that recovers post to a user', () => {
  it('are 10 a second in the long run, after a burst', async () => {
    const core = await coreWith(45);
    expect(await postedIn(core, 60)).toBeLessThanOrEqual(60 * 10 + 100 + 40);
  });

  it('are 200 within seven seconds for a client that missed so many', async () => {
    const core = await coreWith(45);
    expect(await postedIn(core, 7)).toBeGreaterThanOrEqual(200);
  });

  it('are refused above it, with the time to wait, on every connection of the user', async () => {
    const core = await coreWith(45);
    for (let count = 0; count < 3; count += 1) await recover(core, channels);
    expect(await refusal(core, channels)).toMatchObject({
      code: 'rate_limited',
      message: 'Too many messages were recovered for this user. Ask again later.',
      retryAfterMs: 2001,
    });
    const log = { tenant: 'default', channel: own };
    const other = { identity, connectionId: 'c2=' };
    const requests = [{ log, from: { epoch: '', offset: 0 } }];
    await expect(core.recover(other, requests)).rejects.toMatchObject({ retryAfterMs: 2001 });
    const stranger = { identity: { ...identity, userId: '2' }, connectionId: 'c3=' };
    expect(await core.recover(stranger, requests)).toMatchObject([{ offset: 40 }]);
    core.clock.ms += 2001;
    expect((await recover(core, channels)).sent).toHaveLength(40);
  });

  it('do not count in an ack, and do not keep one from coming', async () => {
    const core = await coreWith(45);
    for (let count = 0; count < 3; count += 1) await recover(core, channels);
    for (let count = 0; count < 5; count += 1)
      expect((await recover(core, channels, 'ack')).sent).toHaveLength(45);
    core.clock.ms += 2001;
    expect((await recover(core, channels)).sent).toHaveLength(40);
  });

  it('count if the connection took them, and not if they had expired or were refused', async () => {
    let isTaken = true;
    const core = await coreWith(45, { post: () => (isTaken ? { outcome: 'sent' } : throttled) });
    isTaken = false;
    for (let count = 0; count < 5; count += 1)
      expect(await refusal(core, channels)).toMatchObject({ retryAfterMs: 1000 });
    isTaken = true;
    for (let count = 0; count < 3; count += 1) await recover(core, channels);
    expect(await refusal(core, channels)).toMatchObject({ retryAfterMs: 2001 });
  });

  it('count for each 32 KB, as API Gateway bills them', async () => {
    const core = await coreWith(0);
    for (let count = 0; count < 10; count += 1) await publish(core, 'x'.repeat(125_000));
    // Each recover reads a megabyte: 8 messages of 4 units.
    for (let count = 0; count < 4; count += 1) expect((await recover(core, channels)).sent).toHaveLength(8);
    expect(await refusal(core, channels)).toMatchObject({ retryAfterMs: 28 * 100 + 1 });
  });

  it('count for a subscribe from a position too, unless they come in its ack', async () => {
    const core = await dynamodb.create({ shards: 1 });
    await core.sessions.add(sessionOf('c1='));
    for (let offset = 1; offset <= 45; offset += 1) await publish(core, offset, 'topic:orders.eu');
    const [subscribe] = createSubscribeListeners(core);
    const ask = async (content: object) => {
      const accepted = await subscribe?.accept({ topic: 'orders.eu', epoch: '', ...content });
      return accepted?.handle(contextOf({ from: identity, session }, topics));
    };
    for (let count = 0; count < 3; count += 1)
      expect(await ask({})).toMatchObject({ offset: 40, more: true });
    await expect(ask({})).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 2001 });
    expect(core.connections.calls).toHaveLength(120);
    expect(await ask({ messagesIn: 'ack' })).toMatchObject({
      topic: 'orders.eu',
      offset: 45,
      recovered: true,
      messages: Array.from({ length: 45 }, (_, index) => ({ content: index + 1 })),
    });
    expect(core.connections.calls).toHaveLength(120);
  });
});
