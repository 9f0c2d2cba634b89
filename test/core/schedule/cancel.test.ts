import { describe, expect, it } from 'vitest';
import { publicationLifetimeMs } from '../../../protocol/index.ts';
import { rejectionOf } from '../../protocol/refusal-of.ts';
import { minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { messageId, noticeAt, scheduleOn } from './schedule-under-test.ts';

const dynamodb = useDynamoDB();
const soon = startOfTime + minuteMs;
const id = { tenant: 'default', messageId };

describe('a cancel', () => {
  it('ends a message that is already in the queue, and may come twice', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, cancel, queued, work, status, isKept } = scheduleOn(core);
    await publish(noticeAt(soon));
    const [message] = queued;
    if (!message) throw new Error('The message is in the queue.');
    await cancel(id);
    await cancel(id);
    expect(await status()).toBe('cancelled');
    expect(await isKept(message)).toBe(false);
    core.clock.ms = soon;
    await work(message);
    expect(core.connections.calls).toEqual([]);
    expect(await status()).toBe('cancelled');
  });

  it('holds although its function is killed before it deletes the message', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, workAll } = scheduleOn(core);
    await publish(noticeAt(soon));
    await core.waiting.cancel(id);
    core.clock.ms = soon;
    await workAll();
    expect(core.connections.calls).toEqual([]);
  });

  it('holds after its record has expired, though rows of the message are left', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, tick, workAll } = scheduleOn(core);
    const deliverAt = startOfTime + 3 * publicationLifetimeMs;
    await publish(noticeAt(deliverAt));
    await core.waiting.cancel(id);
    core.clock.ms = deliverAt + minuteMs;
    await core.sessions.add(
      sessionOf('c2=', { connectedAt: core.clock.ms, tokenExpiresAt: core.clock.ms + minuteMs }),
    );
    await tick();
    await workAll();
    expect(core.connections.calls).toEqual([]);
  });

  it('is refused once the delivery has begun, and for a message that was not scheduled', async () => {
    const core = await dynamodb.create();
    const { publish, cancel, workAll } = scheduleOn(core);
    await publish(noticeAt(soon));
    core.clock.ms = soon;
    await workAll();
    expect(await rejectionOf(cancel(id))).toMatchObject({ code: 'conflict' });
    const other = { ...id, messageId: '00000000-0000-4000-8000-000000000001' };
    await publish(noticeAt(soon, { ...other, deliverAt: undefined }));
    expect(await rejectionOf(cancel(other))).toMatchObject({ code: 'conflict' });
  });

  it('knows nothing of an unknown id, nor of another tenant', async () => {
    const core = await dynamodb.create();
    const { publish, cancel, status } = scheduleOn(core);
    expect(await rejectionOf(cancel(id))).toMatchObject({ code: 'not_found' });
    await publish(noticeAt(soon));
    expect(await rejectionOf(cancel({ ...id, tenant: 'other' }))).toMatchObject({ code: 'not_found' });
    expect(await status()).toBe('scheduled');
  });

  it('keeps its messageId from being scheduled again, also by the same request', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, cancel, workAll } = scheduleOn(core);
    await publish(noticeAt(soon));
    await cancel(id);
    for (const ms of [startOfTime, soon]) {
      core.clock.ms = ms;
      expect(await rejectionOf(publish(noticeAt(soon)))).toMatchObject({ code: 'conflict' });
    }
    await workAll();
    expect(core.connections.calls).toEqual([]);
  });

  it('and a worker at the same time: exactly one of them wins, each of 50 times', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, cancel, queued, work } = scheduleOn(core);
    const ids = Array.from(
      { length: 50 },
      (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    );
    for (const each of ids) await publish(noticeAt(soon, { messageId: each }));
    core.clock.ms = soon;
    const cancelled = await Promise.all(
      queued.map(async (message, index) => {
        const cancelling = () =>
          cancel(message.due).then(
            () => true,
            (cause: unknown) => (cause as { code: string }).code !== 'conflict',
          );
        const working = () => work(message);
        const race = index % 2 === 0 ? [cancelling(), working()] : [working(), cancelling()];
        return [message.due.messageId, (await Promise.all(race)).includes(true)] as const;
      }),
    );
    const sent = core.connections.framesTo('c1=').map((frame) => (frame as { messageId: string }).messageId);
    const notCancelled = cancelled.flatMap(([each, isCancelled]) => (isCancelled ? [] : [each]));
    expect(sent.sort()).toEqual(notCancelled.sort());
    expect(cancelled).toHaveLength(50);
  });
});
