import { describe, expect, it } from 'vitest';
import { publisherLostAfterMs } from '../../../core/timing.ts';
import { rejectionOf } from '../../protocol/refusal-of.ts';
import { type Core, minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { messageId, noticeAt, scheduleOn } from './schedule-under-test.ts';

const dynamodb = useDynamoDB();
const soon = startOfTime + minuteMs;
const id = { tenant: 'default', messageId };

/** A message whose time has come, in the queue. */
async function due(core: Core, differing: Record<string, unknown> = {}) {
  const parts = scheduleOn(core);
  await core.sessions.add(sessionOf('c1='));
  await parts.publish(noticeAt(soon, differing));
  const [message] = parts.queued.splice(0);
  if (!message) throw new Error('The message is in the queue.');
  core.clock.ms = soon;
  return { ...parts, message };
}

describe('a worker of scheduled messages', () => {
  it('sends a message once, however often the queue brings it, and at the same time', async () => {
    const core = await dynamodb.create();
    const { work, message } = await due(core);
    await Promise.all(
      [work(message), work(message), work(message)].map((each) => each.catch(() => undefined)),
    );
    await work(message);
    expect(core.connections.framesTo('c1=')).toHaveLength(1);
  });

  it('keeps the form in which its sender wrote the content', async () => {
    const core = await dynamodb.create();
    const parts = scheduleOn(core);
    await core.sessions.add({ ...sessionOf('c1='), contentAs: 'json' });
    const written = noticeAt(soon, { content: JSON.stringify({ title: 'hi' }) });
    const sender = { tenant: 'default', userType: 'member', userId: '2' };
    await parts.publish(written, sender, 'text');
    core.clock.ms = soon;
    await parts.workAll();
    expect(core.connections.framesTo('c1=')).toMatchObject([{ content: { title: 'hi' }, from: sender }]);
  });

  it('hands a message that comes early over again', async () => {
    const core = await dynamodb.create();
    const { work, message, queued } = await due(core);
    core.clock.ms = soon - 1;
    await work(message);
    expect(queued).toEqual([message]);
    expect(core.connections.calls).toEqual([]);
  });

  it('that is killed while it sends is followed by another one', async () => {
    const core = await dynamodb.create();
    const { work, message, status } = await due(core);
    // The claim of the killed worker.
    const { hash } = message.due;
    expect(await core.publications.claimWaiting(id, hash)).toMatchObject({ state: 'claimed' });
    expect(await status()).toBe('delivering');
    expect(await rejectionOf(work(message))).toMatchObject({ code: 'rate_limited' });
    core.clock.ms += publisherLostAfterMs + 1;
    expect(await status()).toBe('delivering');
    await work(message);
    expect(core.connections.framesTo('c1=')).toHaveLength(1);
    expect(await status()).toBe('done');
  });

  it('stores a durable message once, though the first one is killed after it was stored', async () => {
    let isBroken = true;
    const core = await dynamodb.create({
      post: () => {
        if (isBroken) throw new Error('The worker ends here.');
        return { outcome: 'sent' };
      },
    });
    const { work, message } = await due(core, { durable: true });
    await expect(work(message)).rejects.toThrow('The worker ends here.');
    isBroken = false;
    await work(message);
    const log = await core.logs.open({ tenant: 'default', channel: 'user:member:1' });
    expect(log.newest).toBe(1);
    expect(core.connections.framesTo('c1=').at(-1)).toMatchObject({ offset: 1, messageId });
  });

  it('shows the publication as failed after its last attempt, and begins again if it is sent back', async () => {
    let isBroken = true;
    const core = await dynamodb.create({
      inlineLimit: 1,
      queueFault: () => (isBroken ? new Error('SQS is down.') : undefined),
    });
    const { work, message, status, tick, queued } = await due(core);
    await core.sessions.add(sessionOf('c2='));
    await expect(work(message)).rejects.toThrow('SQS is down.');
    expect(await status()).toBe('delivering');
    await expect(work(message, true)).rejects.toThrow('SQS is down.');
    expect(await status()).toBe('failed');
    core.clock.ms += 5 * minuteMs;
    await tick();
    expect(queued).toEqual([]);
    isBroken = false;
    await work(message);
    expect(core.jobs).toHaveLength(3);
    expect(await status()).toBe('delivering');
  });

  it('drops a message that the stack no longer takes, and shows it as failed', async () => {
    const core = await dynamodb.create();
    const { message } = await due(core, { to: 'topic:orders', exclude: ['c1='] });
    // A setting of a later deployment makes the topic durable, which takes no exclusions.
    const { work, status, isKept } = scheduleOn({ ...core, durableTopics: ['orders'] });
    await work(message);
    expect(await status()).toBe('failed');
    expect(await isKept(message)).toBe(false);
    expect(core.warnings.join()).toContain('scheduled message was refused');
  });

  it('waits for a record that its publisher may still write, and for no longer', async () => {
    const core = await dynamodb.create();
    const { work, queued, isKept } = scheduleOn(core);
    const message = { due: { ...id, deliverAt: soon, hash: 'h' }, at: soon };
    await core.scheduled.put(message.due, { request: noticeAt(soon), from: undefined });
    core.clock.ms = soon;
    await work(message);
    expect(queued.splice(0)).toEqual([{ ...message, at: soon + publisherLostAfterMs }]);
    core.clock.ms = soon + publisherLostAfterMs;
    await work(message);
    expect(queued).toEqual([]);
    expect(await isKept(message)).toBe(false);
    expect(core.connections.calls).toEqual([]);
  });
});
