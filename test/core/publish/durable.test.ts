import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { listMessages } from '../../../core/log/list.ts';
import { maxDurableFrameBytes, readPublishRequest } from '../../../protocol/index.ts';
import { rejectionOf } from '../../protocol/refusal-of.ts';
import { type Core, sessionOf, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const channel = 'user:member:1';
const notice = { to: channel, type: 'notice-push', content: { title: 'hi' }, durable: true };

async function kept(core: Core, name = channel) {
  const log = { tenant: 'default', channel: name };
  return listMessages(await core.logs.open(log), { after: 0 }, { limit: 100, maxBytes: 1_000_000 });
}

describe('a durable publish', () => {
  it('is in the log as it was delivered, and the answer has its offset', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const answer = await core.publish(readPublishRequest(notice));
    expect(answer).toMatchObject({ status: 'delivered', delivered: 1, offset: 1 });
    const { messages, epoch, head } = await kept(core);
    expect(head).toBe(1);
    expect(messages).toEqual([
      {
        type: 'notice-push',
        content: { title: 'hi' },
        messageId: answer.messageId,
        channel,
        offset: 1,
        epoch,
      },
    ]);
    expect(core.connections.framesTo('c1=')).toEqual(messages);
  });

  it('waits in the log if nobody is online', async () => {
    const core = await dynamodb.create();
    expect(await core.publish(readPublishRequest(notice))).toMatchObject({ delivered: 0, offset: 1 });
    expect((await kept(core)).messages).toHaveLength(1);
  });

  it('to a large audience is accepted with its offset, and its jobs carry the offset', async () => {
    const core = await dynamodb.create({ inlineLimit: 1 });
    await core.sessions.add(sessionOf('c1='));
    await core.sessions.add(sessionOf('c2='));
    const answer = await core.publish(readPublishRequest({ ...notice, to: 'everyone' }));
    expect(answer).toMatchObject({ status: 'accepted', offset: 1 });
    const { messages } = await kept(core, 'everyone');
    expect(core.jobs.map(({ frame }) => JSON.parse(frame) as unknown)).toEqual([
      ...messages,
      ...messages,
      ...messages,
    ]);
  });

  it('of the same messageId is stored once, even if the first one failed', async () => {
    let isBroken = true;
    const queueFault = () => (isBroken ? new Error('The queue is gone.') : undefined);
    const core = await dynamodb.create({ inlineLimit: 1, queueFault });
    await core.sessions.add(sessionOf('c1='));
    await core.sessions.add(sessionOf('c2='));
    const request = readPublishRequest({ ...notice, to: 'everyone', messageId: randomUUID() });

    await expect(core.publish(request)).rejects.toThrow('The queue is gone.');
    isBroken = false;
    expect(await core.publish(request)).toMatchObject({ status: 'accepted', offset: 1 });
    expect(await core.publish(request)).toMatchObject({ status: 'accepted', offset: 1 });
    expect((await kept(core, 'everyone')).messages).toHaveLength(1);
  });

  it('whose publisher was killed after storing is stored once by the one that takes over', async () => {
    const core = await dynamodb.create();
    const request = readPublishRequest({ ...notice, messageId: randomUUID() });
    const finish = core.publications.finish.bind(core.publications);
    core.publications.finish = () => new Promise(() => undefined);
    void core.publish(request);
    await expect.poll(async () => (await kept(core)).messages.length).toBe(1);
    core.publications.finish = finish;
    core.clock.ms += 60_001;
    expect(await core.publish(request)).toMatchObject({ offset: 1 });
    expect((await kept(core)).messages).toHaveLength(1);
  });

  it('whose publisher was killed before storing has its TTL counted from when it is stored', async () => {
    const core = await dynamodb.create();
    const request = readPublishRequest({ ...notice, messageId: randomUUID(), ttlSeconds: 30 });
    const remember = core.publications.remember.bind(core.publications);
    const remembered = vi.fn(remember);
    core.publications.remember = async (...slot) => {
      await remembered(...slot);
      return new Promise(() => undefined);
    };
    void core.publish(request);
    await expect.poll(() => remembered.mock.settledResults[0]?.type).toBe('fulfilled');
    core.publications.remember = remember;
    core.clock.ms += 60_001;
    expect(await core.publish(request)).toMatchObject({ offset: 1 });
    expect((await kept(core)).messages).toHaveLength(1);
  });

  it('that failed after it was stored conflicts with another body, because its id is in the log', async () => {
    const queueFault = () => new Error('The queue is gone.');
    const core = await dynamodb.create({ inlineLimit: 1, queueFault });
    await core.sessions.add(sessionOf('c1='));
    await core.sessions.add(sessionOf('c2='));
    const request = { ...notice, to: 'everyone', messageId: randomUUID() };
    await expect(core.publish(readPublishRequest(request))).rejects.toThrow();
    const other = core.publish(readPublishRequest({ ...request, content: 'other' }));
    expect(await rejectionOf(other)).toMatchObject({ code: 'conflict' });
  });

  it('has a frame limit that is 1 KB lower, which leaves room for the answers that carry the frame', async () => {
    const core = await dynamodb.create();
    const content = 'x'.repeat(maxDurableFrameBytes);
    const refusal = await rejectionOf(core.publish(readPublishRequest({ ...notice, content })));
    expect(refusal.code).toBe('too_large');
    expect(refusal.message).toMatch(/durable frame of \d+ bytes; the limit is 130048/);
    expect((await kept(core)).head).toBe(0);
    const overhead = refusal.message.match(/of (\d+) bytes/)?.[1];
    const room = 2 * maxDurableFrameBytes - Number(overhead);
    await core.publish(readPublishRequest({ ...notice, content: 'x'.repeat(room) }));
    expect((await kept(core)).messages).toHaveLength(1);
  });
});

describe('a topic that the stack marks durable', () => {
  const order = { to: 'topic:orders.eu', type: 'order', content: 1 };

  it('keeps its messages, unless the publish says otherwise', async () => {
    const core = await dynamodb.create({ durableTopics: ['orders.*'] });
    expect(await core.publish(readPublishRequest(order))).toMatchObject({ offset: 1 });
    expect(await core.publish(readPublishRequest({ ...order, to: 'topic:chat' }))).not.toHaveProperty(
      'offset',
    );
    expect(await core.publish(readPublishRequest({ ...order, durable: false }))).not.toHaveProperty('offset');
    expect((await kept(core, 'topic:orders.eu')).messages).toHaveLength(1);
  });

  it('cannot be one of several targets', async () => {
    const core = await dynamodb.create({ durableTopics: ['orders.*'] });
    const several = readPublishRequest({ ...order, to: ['topic:orders.eu', 'user:member:1'] });
    expect(await rejectionOf(core.publish(several))).toMatchObject({
      code: 'bad_request',
      details: [{ field: 'durable' }],
    });
  });
});

describe('a publish that a log cannot keep', () => {
  it.each([
    ['a session', { to: 'session:c1=' }, 'durable'],
    ['two targets', { to: ['user:member:1', 'user:member:2'] }, 'durable'],
    ['an exclusion', { exclude: ['c1='] }, 'exclude'],
    ['a TTL without durable', { durable: false, ttlSeconds: 5 }, 'ttlSeconds'],
  ])('is refused: %s', async (_what, differing, field) => {
    const core = await dynamodb.create();
    const request = readPublishRequest({ ...notice, ...differing });
    expect(await rejectionOf(core.publish(request))).toMatchObject({
      code: 'bad_request',
      details: [{ field }],
    });
  });

  it.each([0, -1, 1.5, 31_536_001, '60'])('is refused: ttlSeconds %j', (ttlSeconds) => {
    expect(() => readPublishRequest({ ...notice, ttlSeconds })).toThrow(/^ttlSeconds: /);
  });
});
