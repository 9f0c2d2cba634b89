import { describe, expect, it } from 'vitest';
import { createDeliver, type Delivery } from '../../../core/delivery/deliver.ts';
import { payloadsOf } from '../../../core/delivery/payloads.ts';
import { handshakeWindowMs } from '../../../core/timing.ts';
import {
  type Core,
  idsOf,
  later,
  minuteMs,
  sessionOf,
  startOfTime,
  useDynamoDB,
} from '../core-under-test.ts';
import { failed, gone, throttled } from '../recording-connections.ts';

const dynamodb = useDynamoDB();
const member = { tenant: 'default', userType: 'member', userId: '1' };
const sent = { outcome: 'sent' } as const;

describe('a delivery', () => {
  it('counts each recipient once, so the counts add up for any outcomes', async () => {
    const core = await dynamodb.create({
      post: (id) =>
        id.startsWith('gone')
          ? gone
          : id.startsWith('throttled')
            ? throttled
            : id.startsWith('failed')
              ? failed
              : sent,
    });
    const ids = ['sent-1', 'sent-2', 'gone-1', 'throttled-1', 'failed-1', 'failed-2'];
    expect(
      countsOf(await core.deliver(recipients(ids), payloadsOf(core.connections, { frame: '{}' }), later)),
    ).toEqual({
      delivered: 2,
      gone: 1,
      failed: 3,
    });
  });

  it('logs how many posts failed, without any message of the SDK', async () => {
    const core = await dynamodb.create({ post: () => failed });
    countsOf(
      await core.deliver(
        recipients(['c1=']),
        payloadsOf(core.connections, { frame: '{"content":"private"}' }),
        later,
      ),
    );
    expect(core.warnings.join()).toContain('posts failed');
    expect(core.warnings.join()).not.toMatch(/secret detail|private/);
  });

  it('makes no post before the pacer gives it a turn, and takes a turn for each retry', async () => {
    const events: string[] = [];
    let posts = 0;
    const core = await dynamodb.create({
      post(id) {
        events.push('post');
        return id === 'c2=' && (posts += 1) === 1 ? throttled : sent;
      },
    });
    const pacer = async () => {
      await Promise.resolve();
      events.push('turn');
    };
    const deliver = createDeliver({ ...core, pacer });
    await deliver(recipients(['c1=', 'c2=', 'c3=']), payloadsOf(core.connections, { frame: '{}' }), later);
    const turns = events.filter((event) => event === 'turn').length;
    expect(turns).toBe(4);
    expect(events).toHaveLength(8);
    for (const [index] of events.entries()) {
      const soFar = events.slice(0, index + 1);
      const posted = soFar.filter((event) => event === 'post').length;
      expect(posted).toBeLessThanOrEqual(soFar.length - posted);
    }
  });

  it('retries throttled posts four times, after random pauses whose bound doubles', async () => {
    const pauses: number[] = [];
    const wait = (ms: number) => Promise.resolve(pauses.push(ms));
    const core = await dynamodb.create({ post: () => throttled });
    const clock = { ...core.clock, wait, random: () => 0.5 };
    const deliver = createDeliver({ ...core, clock });
    const delivery = await deliver(recipients(['c1=']), payloadsOf(core.connections, { frame: '{}' }), later);
    expect(countsOf(delivery)).toEqual({ delivered: 0, gone: 0, failed: 1 });
    expect(pauses).toEqual([100, 200, 400, 800]);
    expect(core.connections.calls).toHaveLength(5);
  });

  it('to no recipients makes no post', async () => {
    const core = await dynamodb.create();
    expect(countsOf(await core.deliver([], payloadsOf(core.connections, { frame: '{}' }), later))).toEqual({
      delivered: 0,
      gone: 0,
      failed: 0,
    });
    expect(core.connections.calls).toEqual([]);
  });
});

describe('a session answered 410', () => {
  it('is deleted if its handshake must have ended', async () => {
    const core = await openSessions(['live', 'dead'], ({ connectionId }) => connectionId === 'dead');
    core.clock.ms += handshakeWindowMs + 1;
    await deliverToAll(core);
    expect(await remaining(core)).toEqual(['live']);
  });

  it('stays if it is younger, because its handshake may still run', async () => {
    const core = await openSessions(['live', 'dead'], ({ connectionId }) => connectionId === 'dead');
    core.clock.ms += handshakeWindowMs;
    expect(await deliverToAll(core)).toEqual({ delivered: 1, gone: 1, failed: 0 });
    expect(await remaining(core)).toEqual(['dead', 'live']);
  });

  it('stays if its row was written again in the meantime', async () => {
    const core = await openSessions(['live', 'dead'], ({ connectionId }) => connectionId === 'dead');
    core.clock.ms += minuteMs + 1;
    const { recipients: asRead } = await core.recipients.ofUser(member);
    await core.sessions.add(sessionOf('dead', { connectedAt: core.clock.ms }));
    countsOf(await core.deliver(asRead, payloadsOf(core.connections, { frame: '{}' }), later));
    expect(await remaining(core)).toEqual(['dead', 'live']);
  });

  it('stays if the endpoint has not delivered yet, because a wrong endpoint answers every id with 410', async () => {
    const core = await openSessions(['a', 'b', 'c'], () => true);
    core.clock.ms += minuteMs + 1;
    expect(await deliverToAll(core)).toEqual({ delivered: 0, gone: 3, failed: 0 });
    expect(await remaining(core)).toEqual(['a', 'b', 'c']);
    expect(core.warnings.join()).toContain('endpoint');
  });

  it('is deleted if the endpoint has delivered before', async () => {
    let isDead = false;
    const core = await openSessions(['a'], () => isDead);
    await deliverToAll(core);
    isDead = true;
    core.clock.ms += minuteMs + 1;
    expect(await deliverToAll(core)).toEqual({ delivered: 0, gone: 1, failed: 0 });
    expect(await remaining(core)).toEqual([]);
    expect(core.warnings).toEqual([]);
  });
});

function countsOf({ delivered, gone, failed }: Delivery) {
  return { delivered, gone, failed };
}

async function openSessions(
  ids: readonly string[],
  isGone: (session: { connectionId: string }) => boolean,
): Promise<Core> {
  const core = await dynamodb.create({ post: (connectionId) => (isGone({ connectionId }) ? gone : sent) });
  for (const id of ids) await core.sessions.add(sessionOf(id));
  return core;
}

async function deliverToAll(core: Core) {
  const { recipients: all } = await core.recipients.ofUser(member);
  return countsOf(await core.deliver(all, payloadsOf(core.connections, { frame: '{}' }), later));
}

async function remaining(core: Core): Promise<string[]> {
  return idsOf((await core.recipients.ofUser(member)).recipients);
}

function recipients(ids: readonly string[]) {
  return ids.map((connectionId) => ({ connectionId, identity: member, connectedAt: startOfTime }));
}
