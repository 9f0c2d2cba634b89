import { randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../../core/publications/publications.ts';
import { functionTimeoutMs } from '../../../core/timing.ts';
import { maxDownlinkFrameBytes, readPublishRequest } from '../../../protocol/index.ts';
import { rejectionOf } from '../../protocol/refusal-of.ts';
import { type Core, sessionOf, useDynamoDB } from '../core-under-test.ts';
import { failed, gone, throttled } from '../recording-connections.ts';

const dynamodb = useDynamoDB();
const notice = { to: 'user:member:1', type: 'notice-push', content: { title: 'hi' } };

describe('a publish', () => {
  it('sends its frame to every session of the user and counts them', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    await core.sessions.add(sessionOf('c2='));
    await core.sessions.add(sessionOf('c3=', { userId: '2' }));

    const answer = await core.publish(readPublishRequest(notice));

    const { messageId } = answer;
    expect(answer).toEqual({ messageId, status: 'delivered', delivered: 2, gone: 0, failed: 0 });
    const frame = { type: 'notice-push', content: { title: 'hi' }, messageId };
    expect(core.connections.framesTo('c1=')).toEqual([frame]);
    expect(core.connections.framesTo('c2=')).toEqual([frame]);
    expect(core.connections.framesTo('c3=')).toEqual([]);
  });

  it('with nobody online is delivered to 0 sessions, without an error', async () => {
    const core = await dynamodb.create();
    expect(await core.publish(readPublishRequest(notice))).toMatchObject({
      status: 'delivered',
      delivered: 0,
      gone: 0,
      failed: 0,
    });
  });

  it.each([
    { to: 'topic:orders', channel: 'topic:orders' },
    { to: ['topic:orders', 'user:member:1'], channel: undefined },
    { to: 'user:member:1', channel: undefined },
  ])('to $to names the channel $channel', async ({ to, channel }) => {
    const core = await dynamodb.create();
    const session = sessionOf('c1=');
    await core.sessions.add(session);
    await core.subscriptions.subscribe({ identity: session, ...session }, 'orders', ['*']);
    const { messageId } = await core.publish(readPublishRequest({ ...notice, to }));
    const { type, content } = notice;
    const frame = { type, content, messageId, ...(channel !== undefined && { channel }) };
    expect(core.connections.framesTo('c1=')).toEqual([frame]);
  });

  it('makes no retry so late that its function would end first', async () => {
    const core: Core = await dynamodb.create({
      post: () => {
        core.clock.ms += functionTimeoutMs - 8000;
        return throttled;
      },
    });
    await core.sessions.add(sessionOf('c1='));
    expect(await core.publish(readPublishRequest(notice))).toMatchObject({ delivered: 0, failed: 1 });
    expect(core.connections.calls).toHaveLength(1);
  });

  it.each([
    ['recipients', true],
    ['counts', false],
    [undefined, false],
  ])('to a large audience with the report %s asks its workers for recipients: %s', async (report, asks) => {
    const core = await dynamodb.create({ inlineLimit: 1 });
    for (const id of ['c1=', 'c2=']) await core.sessions.add(sessionOf(id));
    await core.publish(readPublishRequest({ ...notice, ...(report !== undefined && { report }) }));
    expect(core.jobs.map(({ reportsRecipients }) => reportsRecipients)).toEqual([asks, asks, asks]);
  });

  it('names the user who caused it, if one did', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const from = { tenant: 'default', userType: 'admin', userId: '7' };
    await core.publish(readPublishRequest(notice), from);
    expect(core.connections.framesTo('c1=')).toMatchObject([{ from }]);
  });

  it.each([null, 0, false, '', [], 'text', { deep: [{ er: null }] }].map((content) => ({ content })))(
    'carries $content unchanged',
    async ({ content }) => {
      const core = await dynamodb.create();
      await core.sessions.add(sessionOf('c1='));
      await core.publish(readPublishRequest({ ...notice, content }));
      expect(core.connections.framesTo('c1=')).toMatchObject([{ content }]);
    },
  );

  it('makes a frame of 128 KB of UTF-8 at most; one byte above is too large and reaches nobody', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const messageId = randomUUID();
    const overhead = Buffer.byteLength(JSON.stringify({ type: 'notice-push', content: '', messageId }));
    const room = maxDownlinkFrameBytes - overhead;
    // Two bytes of UTF-8 each: the limit counts bytes, not characters.
    const full = 'é'.repeat(room / 2) + 'e'.repeat(room % 2);

    await core.publish(readPublishRequest({ ...notice, content: full, messageId }));
    const tooMuch = readPublishRequest({ ...notice, content: `${full}e`, messageId: randomUUID() });
    const refusal = await rejectionOf(core.publish(tooMuch));

    expect(refusal.code).toBe('too_large');
    expect(refusal.message).toMatch(/^content: .*131073.*131072/);
    expect(core.connections.framesTo('c1=')).toHaveLength(1);
    expect(await records(core)).toHaveLength(1);
  });

  it('to more sessions than inlineLimit becomes one job per shard, and is recorded', async () => {
    const core = await dynamodb.create({ inlineLimit: 1, shards: 3 });
    await core.sessions.add(sessionOf('c1='));
    await core.sessions.add(sessionOf('c2='));
    const answer = await core.publish(readPublishRequest({ ...notice, to: 'everyone', exclude: ['c9='] }));
    const { messageId } = answer;
    expect(answer).toEqual({ messageId, status: 'accepted', shards: 3 });
    expect(core.connections.calls).toEqual([]);
    expect(core.jobs.map(({ shard }) => shard)).toEqual([0, 1, 2]);
    expect(core.jobs[0]).toMatchObject({
      tenant: 'default',
      messageId,
      exclude: ['c9='],
      to: [{ kind: 'everyone' }],
    });
    expect(await core.publications.get({ tenant: 'default', messageId })).toMatchObject({
      status: 'delivering',
      shards: [{ shard: 0 }, { shard: 1 }, { shard: 2 }],
    });
  });
});

describe('the record of a publish', () => {
  it('is written only if the caller can ask for it', async () => {
    const core = await dynamodb.create();
    await core.publish(readPublishRequest(notice));
    expect(await records(core)).toEqual([]);

    const { messageId } = await core.publish(readPublishRequest({ ...notice, report: 'counts' }));
    expect(await core.publications.get({ tenant: 'default', messageId })).toMatchObject({ status: 'done' });
  });

  it('holds the counts of the answer', async () => {
    const core = await dynamodb.create({
      post: (id) => (id === 'gone' ? gone : id === 'failed' ? failed : { outcome: 'sent' }),
    });
    for (const id of ['sent', 'gone', 'failed']) await core.sessions.add(sessionOf(id));
    const messageId = randomUUID();
    const answer = await core.publish(readPublishRequest({ ...notice, messageId }));
    expect(answer).toMatchObject({ delivered: 1, gone: 1, failed: 1 });
    expect(await core.publications.get({ tenant: 'default', messageId })).toMatchObject({
      status: 'done',
      delivered: 1,
      gone: 1,
      failed: 1,
      pending: 0,
    });
  });
});

describe('the same messageId again', () => {
  it('publishes nothing and returns the first answer, for any order of the keys', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const messageId = randomUUID();
    const first = await core.publish(readPublishRequest({ ...notice, content: { a: 1, b: 2 }, messageId }));
    await core.sessions.add(sessionOf('c2='));
    const reordered = { messageId, content: { b: 2, a: 1 }, type: notice.type, to: [notice.to] };
    expect(await core.publish(readPublishRequest(reordered))).toEqual(first);
    expect(core.connections.calls).toHaveLength(1);
  });

  it('with another body is a conflict that names it, and reaches nobody', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const messageId = randomUUID();
    await core.publish(readPublishRequest({ ...notice, messageId }));
    const other = readPublishRequest({ ...notice, content: { title: 'bye' }, messageId });
    const refusal = await rejectionOf(core.publish(other));
    expect(refusal).toMatchObject({ code: 'conflict', details: [{ field: 'messageId' }] });
    expect(core.connections.calls).toHaveLength(1);
  });

  it('in upper case is the same id, not a conflict', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const messageId = randomUUID();
    const first = await core.publish(readPublishRequest({ ...notice, messageId }));
    const shouted = readPublishRequest({ ...notice, messageId: messageId.toUpperCase() });
    expect(await core.publish(shouted)).toEqual(first);
    expect(core.connections.calls).toHaveLength(1);
  });

  it('at the same time delivers once and answers both alike', async () => {
    const posted = gate();
    const waited = gate();
    const core = await dynamodb.create({
      // The first post is held until the second publish has found the id taken.
      async post() {
        posted.open();
        await waited.opened;
        return { outcome: 'sent' };
      },
      wait() {
        waited.open();
        return Promise.resolve();
      },
    });
    await core.sessions.add(sessionOf('c1='));
    const request = readPublishRequest({ ...notice, messageId: randomUUID() });

    const first = core.publish(request);
    await posted.opened;
    const [one, two] = await Promise.all([first, core.publish(request)]);

    expect(two).toEqual(one);
    expect(one).toMatchObject({ delivered: 1 });
    expect(core.connections.calls).toHaveLength(1);
  });

  it('is refused, with the advice to ask again, if the first does not end in time', async () => {
    let waitedMs = 0;
    const core = await dynamodb.create({ wait: (ms) => Promise.resolve((waitedMs += ms)) });
    const request = readPublishRequest({ ...notice, messageId: randomUUID() });
    const { tenant, messageId = '' } = request;
    await core.publications.claim({ tenant, messageId }, hashOf(request));

    await expect(core.publish(request)).rejects.toMatchObject({
      code: 'rate_limited',
      details: [{ field: 'messageId' }],
    });
    expect(waitedMs).toBeGreaterThan(4000);
    expect(waitedMs).toBeLessThan(6000);
  });

  it('after a fault is published', async () => {
    const faults = [new Error('The queue refused a job.')];
    const core = await dynamodb.create({ inlineLimit: 1, queueFault: () => faults.shift() });
    await core.sessions.add(sessionOf('c1='));
    await core.sessions.add(sessionOf('c2='));
    const request = readPublishRequest({ ...notice, messageId: randomUUID() });

    await expect(core.publish(request)).rejects.toThrow('The queue refused a job.');
    expect(await core.publish(request)).toMatchObject({ status: 'accepted' });
  });
});

describe('a reply', () => {
  it('goes to the given connection, without reading its session', async () => {
    const core = await dynamodb.create();
    const identity = { tenant: 'default', userType: 'member', userId: '1' };
    const to = { connectionId: 'new=', identity, connectedAt: core.clock.ms };
    const answer = await core.reply(readPublishRequest({ ...notice, to: 'session:new=' }), to);
    expect(answer).toMatchObject({ status: 'delivered', delivered: 1 });
    const { messageId } = answer;
    const { type, content } = notice;
    expect(core.connections.framesTo('new=')).toEqual([{ type, content, messageId, from: identity }]);
  });

  it('is limited to the size of a frame too', async () => {
    const core = await dynamodb.create();
    const identity = { tenant: 'default', userType: 'member', userId: '1' };
    const to = { connectionId: 'c1=', identity, connectedAt: core.clock.ms };
    const content = 'e'.repeat(maxDownlinkFrameBytes);
    const request = readPublishRequest({ ...notice, content });
    await expect(core.reply(request, to)).rejects.toMatchObject({ code: 'too_large' });
  });
});

async function records({ db, tables }: Core) {
  const { Items = [] } = await db.send(new ScanCommand({ TableName: tables.state }));
  return Items;
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
