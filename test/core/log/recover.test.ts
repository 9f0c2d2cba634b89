import { describe, expect, it } from 'vitest';
import { createWaitForIndex } from '../../../core/sessions/wait-for-index.ts';
import { createRecover } from '../../../core/log/recover.ts';
import { createDebt, recoverRate } from '../../../core/limits/debt.ts';
import { createLease } from '../../../core/limits/lease.ts';
import { createRecoverListener } from '../../../core/dispatch/recover.ts';
import { readPublishRequest } from '../../../protocol/index.ts';
import {
  contextOf,
  type Core,
  type CoreOptions,
  sessionOf,
  startOfTime,
  useDynamoDB,
} from '../core-under-test.ts';
import { throttled } from '../recording-connections.ts';
import { identity, own, publish, recover, refusal, session, topics } from './recover-under-test.ts';

const dynamodb = useDynamoDB();

async function coreWith(count: number, options: CoreOptions = {}): Promise<Core> {
  const core = await dynamodb.create(options);
  for (let offset = 1; offset <= count; offset += 1) await publish(core, offset);
  return core;
}

describe.each(['posts', 'ack'] as const)('recover, with the messages in %s', (form) => {
  it('sends the messages after the position, in order, and says how far it got', async () => {
    const core = await coreWith(4);
    const { epoch } = await core.logs.open({ tenant: 'default', channel: own });
    expect(await recover(core, [{ channel: own, epoch, offset: 2 }], form)).toEqual({
      sent: [3, 4],
      channels: [{ channel: own, epoch, offset: 4, recovered: true }],
    });
  });

  it('from the newest position sends nothing, and says that nothing is missing', async () => {
    const core = await coreWith(2);
    const { epoch } = await core.logs.open({ tenant: 'default', channel: own });
    expect(await recover(core, [{ channel: own, epoch, offset: 2 }], form)).toEqual({
      sent: [],
      channels: [{ channel: own, epoch, offset: 2, recovered: true }],
    });
  });

  it('from an empty epoch sends the whole log', async () => {
    const core = await coreWith(3);
    const { sent, channels } = await recover(core, [{ channel: 'user', epoch: '', offset: 0 }], form);
    expect(sent).toEqual([1, 2, 3]);
    expect(channels).toMatchObject([{ channel: own, offset: 3, recovered: true }]);
  });

  it('without a position only returns the positions of the logs, by their full names', async () => {
    const core = await coreWith(3);
    await publish(core, 'all', 'everyone');
    const { sent, channels } = await recover(
      core,
      ['user', 'type', 'everyone'].map((channel) => ({ channel })),
      form,
    );
    expect(sent).toEqual([]);
    expect(channels).toMatchObject([
      { channel: own, offset: 3, recovered: true },
      { channel: 'type:member', epoch: '', offset: 0, recovered: true },
      { channel: 'everyone', offset: 1, recovered: true },
    ]);
  });

  it('answers recovered: false if the log has a new epoch, was restored to an earlier time, or is gone', async () => {
    const core = await coreWith(3);
    const { epoch } = await core.logs.open({ tenant: 'default', channel: own });
    for (const position of [
      { epoch: 'another', offset: 1 },
      { epoch, offset: 9 },
    ])
      expect(await recover(core, [{ channel: own, ...position }], form)).toEqual({
        sent: [],
        channels: [{ channel: own, epoch, offset: 3, recovered: false }],
      });
    expect(await recover(core, [{ channel: 'topic:orders.eu', epoch: 'another', offset: 1 }], form)).toEqual({
      sent: [],
      channels: [{ channel: 'topic:orders.eu', epoch: '', offset: 0, recovered: false }],
    });
  });

  it('names the holes on the way', async () => {
    const core = await coreWith(1);
    const log = { tenant: 'default', channel: own };
    const killed = () => Promise.reject(new Error('killed'));
    const entry = { messageId: 'm', ttlSeconds: 60, frameAt: () => '' };
    await expect(core.logs.append(log, entry, { remember: killed })).rejects.toThrow('killed');
    await publish(core, 3);
    const { sent, channels } = await recover(core, [{ channel: own, epoch: '' }], form);
    expect(sent).toEqual([1, 3]);
    expect(channels).toMatchObject([{ offset: 3, recovered: true, skipped: [2] }]);
  });

  it('says that messages have expired, and sends the rest', async () => {
    const core = await dynamodb.create();
    await core.publish(readPublishRequest({ to: own, type: 'n', content: 1, durable: true, ttlSeconds: 1 }));
    await publish(core, 2);
    core.clock.ms += 2000;
    const { sent, channels } = await recover(core, [{ channel: own, epoch: '' }], form);
    expect(sent).toEqual([2]);
    expect(channels).toMatchObject([{ offset: 2, recovered: false }]);
  });

  it('of no channel is answered without any message', async () => {
    expect(await recover(await dynamodb.create(), [], form)).toEqual({ sent: [], channels: [] });
  });
});

describe('recover that posts', () => {
  it('sends at most 40 messages at once, and says that there are more', async () => {
    const core = await coreWith(45);
    await publish(core, 'all', 'everyone');
    const first = await recover(core, [
      { channel: own, epoch: '' },
      { channel: 'everyone', epoch: '' },
    ]);
    expect(first.sent).toHaveLength(40);
    expect(first.channels).toMatchObject([
      { offset: 40, recovered: true, more: true },
      { offset: 0, recovered: true, more: true },
    ]);
    const { epoch } = (first.channels as { epoch: string }[])[0] ?? { epoch: '?' };
    const second = await recover(core, [{ channel: own, epoch, offset: 40 }]);
    expect(second.sent).toEqual([41, 42, 43, 44, 45]);
    expect(second.channels).toEqual([{ channel: own, epoch, offset: 45, recovered: true }]);
  });

  it('sends for five seconds at most, and says that there are more', async () => {
    const core: Core = await coreWith(4, {
      post: () => {
        core.clock.ms += 2500;
        return { outcome: 'sent' };
      },
    });
    const { sent, channels } = await recover(core, [{ channel: own, epoch: '' }]);
    expect(sent).toEqual([1, 2]);
    expect(channels).toMatchObject([{ offset: 2, recovered: true, more: true }]);
  });

  it('counts a message once for each 32 KB that it holds, as API Gateway bills it', async () => {
    const core = await coreWith(0);
    for (let count = 0; count < 23; count += 1) await publish(core, 'x'.repeat(33_000));
    const { sent, channels } = await recover(core, [{ channel: own, epoch: '' }]);
    expect(sent).toHaveLength(20);
    expect(channels).toMatchObject([{ offset: 20, more: true }]);
  });

  it('reads about a megabyte at most, over all channels together', async () => {
    const core = await coreWith(0);
    const text = 'x'.repeat(125_000);
    const names = ['user:member:1', 'type:member', 'everyone', 'topic:orders.1'];
    for (const to of names) for (let count = 0; count < 3; count += 1) await publish(core, text, to);
    const before = core.connections.calls.length;
    const { sent, channels } = await recover(
      core,
      names.map((channel) => ({ channel, epoch: '' })),
    );
    expect(core.connections.calls.length - before).toBe(sent.length);
    expect(sent.length).toBeGreaterThan(6);
    expect(sent.length).toBeLessThan(10);
    expect(channels).toMatchObject([{ offset: 3 }, { offset: 3 }, { offset: 3 }, { offset: 0, more: true }]);
  });

  it('ends at the first 429, without another try', async () => {
    const limits: unknown[] = [];
    const core = await coreWith(3, { post: () => throttled });
    const post: Core['connections']['post'] = (id, payload, given) => {
      limits.push(given);
      return core.connections.post(id, payload);
    };
    const recoverer = createRecover({
      ...core,
      connections: { ...core.connections, post },
      lease: createLease({ ...core, table: core.tables.state }),
      debt: createDebt({ ...core, table: core.tables.state }, recoverRate),
    });
    const log = { tenant: 'default', channel: own };
    const requests = [{ log, from: { epoch: '', offset: 0 } }];
    await expect(recoverer({ identity, connectionId: 'c1=' }, requests)).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 1000,
    });
    expect(limits).toEqual([{ deadline: core.clock.ms + 5000, retriesThrottled: false }]);
  });

  it('claims only the messages that the connection took', async () => {
    let taken = 0;
    const core = await coreWith(4, { post: () => (++taken > 2 ? throttled : { outcome: 'sent' }) });
    const { channels } = await recover(core, [{ channel: own, epoch: '' }]);
    expect(channels).toMatchObject([{ offset: 2, recovered: true, more: true }]);
    expect(await refusal(core, [{ channel: own, epoch: '' }])).toMatchObject({ code: 'rate_limited' });
  });
});

describe('two recovers on one connection at the same time', () => {
  it('send once: the second is told to wait, and works when the first has ended', async () => {
    let arrived: () => void = () => undefined;
    let leave: () => void = () => undefined;
    const posting = new Promise<void>((resolve) => (arrived = resolve));
    const held = new Promise<void>((resolve) => (leave = resolve));
    const core = await coreWith(2, {
      post: async () => {
        arrived();
        await held;
        return { outcome: 'sent' };
      },
    });
    const channels = [{ channel: own, epoch: '' }];
    const first = recover(core, channels);
    await posting;
    expect(await refusal(core, channels)).toMatchObject({ code: 'rate_limited', retryAfterMs: 1000 });
    // It sends nothing, so it needs not wait.
    expect(await recover(core, [{ channel: own }])).toMatchObject({ channels: [{ offset: 2 }] });
    leave();
    await first;
    expect((await recover(core, channels)).channels).toMatchObject([{ offset: 2 }]);
  });
});

describe('a session that has just opened', () => {
  const young = { ...session, connectedAt: startOfTime };

  it('is in the index before the log of its type or of everyone is read, so that no message is lost', async () => {
    const seen = { times: 0 };
    const core = await dynamodb.create();
    const isIndexed = core.recipients.isIndexed.bind(core.recipients);
    await core.sessions.add(sessionOf('c1='));
    // Published while the index lags, so the audience is empty.
    core.recipients.isIndexed = async (...of) => {
      if (seen.times++ < 2) return false;
      await publish(core, 'meanwhile', 'everyone');
      return isIndexed(...of);
    };
    const waits: number[] = [];
    const wait = (ms: number) => Promise.resolve(waits.push(ms));
    const waitForIndex = createWaitForIndex({ ...core, clock: { ...core.clock, wait } });
    const listener = createRecoverListener({ ...core, waitForIndex });
    const ask = async (channels: readonly object[]) =>
      (await listener.accept({ channels })).handle(contextOf({ from: identity, session: young }, topics));
    const channels = [{ channel: 'everyone', epoch: '', offset: 0 }];
    expect(await ask(channels)).toMatchObject({ channels: [{ offset: 1 }] });
    expect(waits).toEqual([50, 100]);
  });

  it('is not waited for if it asks only for its own channel and topics, and otherwise not for ever', async () => {
    const core = await dynamodb.create();
    core.recipients.isIndexed = () => Promise.resolve(false);
    const waits: number[] = [];
    const wait = (ms: number) => Promise.resolve(waits.push(ms));
    const waitForIndex = createWaitForIndex({ ...core, clock: { ...core.clock, wait } });
    const listener = createRecoverListener({ ...core, waitForIndex });
    const ask = async (channels: readonly object[]) =>
      (await listener.accept({ channels })).handle(contextOf({ from: identity, session: young }, topics));
    await ask([{ channel: 'user' }]);
    expect(waits).toEqual([]);
    await ask([{ channel: 'type' }]);
    expect(waits.reduce((sum, ms) => sum + ms)).toBeLessThan(2000);
    expect(core.warnings).toEqual([expect.stringContaining('not in the index')]);
  });
});

describe('a log with an expired message', () => {
  it('is answered recovered: true as long as the answer ends before that message', async () => {
    let posts = 0;
    const core = await dynamodb.create({ post: () => ((posts += 1) > 2 ? throttled : { outcome: 'sent' }) });
    for (let offset = 1; offset <= 5; offset += 1) {
      const ttlSeconds = offset === 4 ? 1 : 600;
      await core.publish(
        readPublishRequest({ to: own, type: 'n', content: offset, durable: true, ttlSeconds }),
      );
    }
    core.clock.ms += 5000;
    const first = await recover(core, [{ channel: own, epoch: '' }]);
    expect(first.channels).toMatchObject([{ offset: 2, recovered: true, more: true }]);
    const { epoch } = first.channels[0] as { epoch: string };
    posts = 0;
    const second = await recover(core, [{ channel: own, epoch, offset: 2 }]);
    expect(second.channels).toMatchObject([{ offset: 5, recovered: false }]);
  });
});
