import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createInboxListeners } from '../../../core/dispatch/inbox.ts';
import { readPublishRequest } from '../../../protocol/index.ts';
import {
  contextOf,
  type Core,
  idsOf,
  minuteMs,
  newToken,
  sessionOf,
  startOfTime,
  useDynamoDB,
} from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const identity = { tenant: 'default', userType: 'member', userId: '1' };
const own = 'user:member:1';
const session = sessionOf('c1=');
const subscriber = { identity, ...session };

/** A core whose reads see no write at all, unless they are consistent. */
function onLaggingReplica(): Promise<Core> {
  return dynamodb.create({ shards: 1, hasLaggingReplica: true });
}

function publish(core: Core, request: object) {
  return core.publish(readPublishRequest({ to: own, type: 'n', content: 1, ...request }));
}

describe('a read right after a write sees it', () => {
  it('of a session, by its user or by its id', async () => {
    const core = await onLaggingReplica();
    await core.sessions.add(session);
    expect(await core.sessions.get(identity, 'c1=')).toMatchObject({ connectionId: 'c1=' });
    const { recipients } = await core.recipients.ofUser(identity);
    expect(idsOf(recipients)).toEqual(['c1=']);
    expect(idsOf(await core.sessions.getMany(recipients))).toEqual(['c1=']);
  });

  it('of a session that is refreshed', async () => {
    const core = await onLaggingReplica();
    await core.sessions.add(session);
    const until = startOfTime + 90 * minuteMs;
    expect(await core.refreshSession(identity, 'c1=', newToken(until))).toMatchObject({
      tokenExpiresAt: until,
    });
  });

  it('of a subscription, and of a session that has no room for another', async () => {
    const core = await onLaggingReplica();
    await core.sessions.add(session);
    for (let at = 0; at < 100; at += 1)
      expect(await core.subscriptions.subscribe(subscriber, `t${String(at)}`, ['*'])).toBe('subscribed');
    expect(await core.subscriptions.subscribe(subscriber, 'one-more', ['*'])).toBe('full');
    const { recipients } = await core.recipients.ofTopic({ tenant: 'default', topic: 't0', shard: 0 });
    expect(idsOf(recipients)).toEqual(['c1=']);
  });

  it('of a publication, which is claimed once', async () => {
    const core = await onLaggingReplica();
    const id = { tenant: 'default', messageId: randomUUID() };
    await core.publications.claim(id, 'hash');
    expect(await core.publications.claim(id, 'another')).toEqual({ state: 'conflict' });
    expect(await core.publications.get(id)).toMatchObject({ status: 'delivering' });
  });

  it('of the checkpoint of a shard', async () => {
    const core = await onLaggingReplica();
    const id = { tenant: 'default', messageId: randomUUID(), shard: 0 };
    await core.progress.begin({ ...id, worker: 'w' }, 3);
    expect(await core.progress.read(id)).toMatchObject({ worker: 'w', estimate: 3 });
  });

  it('of a log, also by a writer that repeats its write', async () => {
    const core = await onLaggingReplica();
    const log = { tenant: 'default', channel: own };
    const entry = { messageId: 'm', ttlSeconds: 60, frameAt: () => '{}' };
    const slot = await core.logs.append(log, entry);
    expect(await core.logs.append(log, entry, { slot, remember: () => Promise.resolve() })).toEqual(slot);
    const reader = await core.logs.open(log);
    expect(await reader.page(0, 10)).toMatchObject({ messages: [{ offset: 1, frame: '{}' }] });
  });

  it('of how far a user has read, and of what is left', async () => {
    const core = await onLaggingReplica();
    for (const content of [1, 2, 3]) await publish(core, { content, durable: true });
    const ask = async (type: string, content?: unknown) => {
      const listener = createInboxListeners(core).find((each) => each.type === type);
      const accepted = await listener?.accept(content);
      return accepted?.handle(contextOf({ from: identity, session: undefined }));
    };
    await ask('inbox-mark-read', { offset: 1 });
    expect(await ask('inbox-unread')).toEqual({ unread: 2 });
  });
});
