import { describe, expect, it } from 'vitest';
import { scheduleKeptMs } from '../../../core/timing.ts';
import { maxDownlinkFrameBytes, maxScheduleMs } from '../../../protocol/index.ts';
import { rejectionOf } from '../../protocol/refusal-of.ts';
import { minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { messageId, noticeAt, scheduleOn } from './schedule-under-test.ts';

const dynamodb = useDynamoDB();
const soon = startOfTime + minuteMs;
const later = startOfTime + 60 * minuteMs;
const scheduled = { messageId, status: 'scheduled', deliverAt: soon };

describe('a scheduled publish', () => {
  it('sends nothing before its time, and then the message', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, workAll, status } = scheduleOn(core);
    expect(await publish(noticeAt(soon))).toEqual(scheduled);
    expect(await status()).toBe('scheduled');
    core.clock.ms = soon - 1;
    await workAll();
    expect(core.connections.calls).toEqual([]);

    core.clock.ms = soon;
    await workAll();
    expect(core.connections.framesTo('c1=')).toEqual([
      { type: 'notice-push', content: { title: 'hi' }, messageId },
    ]);
    expect(await core.publications.get({ tenant: 'default', messageId })).toEqual({
      messageId,
      status: 'done',
      ...{ delivered: 1, gone: 0, failed: 0, pending: 0 },
      shards: [],
      startedAt: soon,
      finishedAt: soon,
      deliverAt: soon,
    });
  });

  it('leaves no row but its record', async () => {
    const core = await dynamodb.create();
    const { publish, queued, work, isKept } = scheduleOn(core);
    await publish(noticeAt(soon));
    const [message] = queued;
    if (!message) throw new Error('The message is in the queue.');
    core.clock.ms = soon;
    await work(message);
    expect(await isKept(message)).toBe(false);
    for (let shard = 0; shard < 8; shard += 1)
      for await (const page of core.scheduled.due(shard, { from: 0, until: later })) expect(page).toEqual([]);
  });

  it('gets the same answer again, before its time, after it, and after its delivery', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, workAll } = scheduleOn(core);
    for (const ms of [startOfTime, soon - 1, soon]) {
      core.clock.ms = ms;
      expect(await publish(noticeAt(soon))).toEqual(scheduled);
    }
    await workAll();
    expect(await publish(noticeAt(soon))).toEqual(scheduled);
    await workAll();
    expect(core.connections.framesTo('c1=')).toHaveLength(1);
  });

  it.each([
    ['another content', { content: 2 }],
    ['another time', { deliverAt: soon + 1000 }],
    ['no time', { deliverAt: undefined }],
  ])('is not replaced by one with %s under its messageId', async (_what, differing) => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, tick, workAll } = scheduleOn(core);
    await publish(noticeAt(soon));
    const refusal = await rejectionOf(publish(noticeAt(soon, differing)));
    expect(refusal).toMatchObject({ code: 'conflict', details: [{ field: 'messageId' }] });
    core.clock.ms = soon + minuteMs;
    // The rows of the refused message are still there.
    await tick();
    await workAll();
    expect(core.connections.framesTo('c1=')).toMatchObject([{ content: { title: 'hi' } }]);
  });

  it('does not take the messageId of a message that was published', async () => {
    const core = await dynamodb.create();
    const { publish } = scheduleOn(core);
    await publish(noticeAt(soon, { deliverAt: undefined }));
    expect(await rejectionOf(publish(noticeAt(soon)))).toMatchObject({ code: 'conflict' });
  });

  it.each([startOfTime, startOfTime - 1, startOfTime + maxScheduleMs + 1, 1_800_000_000])(
    'for %i is refused, and the error names the field and the limit',
    async (deliverAt) => {
      const core = await dynamodb.create();
      const { publish } = scheduleOn(core);
      expect(await rejectionOf(publish(noticeAt(deliverAt)))).toMatchObject({
        code: 'bad_request',
        message: 'deliverAt: must be after now, and at most 366 days ahead',
      });
      expect(await core.publications.get({ tenant: 'default', messageId })).toBeUndefined();
    },
  );

  it('may be 366 days ahead, and its rows outlive that time', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, tick, workAll, queued } = scheduleOn(core);
    const deliverAt = startOfTime + maxScheduleMs;
    await publish(noticeAt(deliverAt));
    expect(queued).toEqual([]);
    // A stack that was down delivers late.
    core.clock.ms = deliverAt + scheduleKeptMs - minuteMs;
    await core.sessions.add(
      sessionOf('c2=', { connectedAt: core.clock.ms, tokenExpiresAt: core.clock.ms + minuteMs }),
    );
    await tick();
    await workAll();
    expect(core.connections.framesTo('c2=')).toHaveLength(1);
  });

  it.each([
    { differing: { content: 'x'.repeat(maxDownlinkFrameBytes) }, code: 'too_large', field: 'content' },
    { differing: { ttlSeconds: 60 }, code: 'bad_request', field: 'ttlSeconds' },
    { differing: { to: ['everyone', 'type:member'], durable: true }, code: 'bad_request', field: 'durable' },
  ])('is refused at once for $field', async ({ differing, code, field }) => {
    const { publish } = scheduleOn(await dynamodb.create());
    expect(await rejectionOf(publish(noticeAt(soon, differing)))).toMatchObject({
      code,
      details: [{ field }],
    });
  });

  it('has the largest content that a publish may have', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, workAll } = scheduleOn(core);
    const content = '"'.repeat((maxDownlinkFrameBytes - 200) / 2);
    await publish(noticeAt(soon, { content }));
    core.clock.ms = soon;
    await workAll();
    expect(core.connections.framesTo('c1=')).toMatchObject([{ content }]);
  });

  it('that is durable is kept for its ttlSeconds from the delivery on', async () => {
    const core = await dynamodb.create();
    const { publish, workAll } = scheduleOn(core);
    await publish(noticeAt(soon, { durable: true, ttlSeconds: 60 }));
    core.clock.ms = soon;
    await workAll();
    const messages = async () => {
      const log = await core.logs.open({ tenant: 'default', channel: 'user:member:1' });
      return (await log.page(0, 10)).messages;
    };
    core.clock.ms = soon + minuteMs - 1000;
    expect(await messages()).toMatchObject([{ offset: 1 }]);
    core.clock.ms = soon + minuteMs + 1000;
    expect(await messages()).toEqual([]);
  });

  it('of a listener names the sender, without claims', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, workAll } = scheduleOn(core);
    const from = { tenant: 'default', userType: 'member', userId: '7' };
    await publish(noticeAt(soon), { ...from, claims: { role: 'admin' } } as typeof from);
    core.clock.ms = soon;
    await workAll();
    expect(core.connections.framesTo('c1=')).toMatchObject([{ from }]);
    expect(core.connections.framesTo('c1=')).not.toMatchObject([
      { from: { claims: expect.anything() as unknown } },
    ]);
  });

  it('reaches the audience of its time', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('before='));
    const { publish, workAll } = scheduleOn(core);
    await publish(noticeAt(soon));
    await core.sessions.remove(sessionOf('before='), 'before=');
    await core.sessions.add(sessionOf('after='));
    core.clock.ms = soon;
    await workAll();
    expect(core.connections.framesTo('before=')).toEqual([]);
    expect(core.connections.framesTo('after=')).toHaveLength(1);
  });

  it('to many is handed to the fan-out', async () => {
    const core = await dynamodb.create({ inlineLimit: 1 });
    for (const id of ['c1=', 'c2=']) await core.sessions.add(sessionOf(id));
    const { publish, workAll, status } = scheduleOn(core);
    await publish(noticeAt(soon, { report: 'recipients' }));
    core.clock.ms = soon;
    await workAll();
    expect(core.jobs).toHaveLength(3);
    expect(core.jobs).toMatchObject([{ messageId, reportsRecipients: true }, {}, {}]);
    expect(await status()).toBe('delivering');
  });
});
