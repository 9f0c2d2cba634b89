import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { duePage, dueShards } from '../../../core/schedule/rows.ts';
import { shardOf } from '../../../core/sessions/items.ts';
import { scheduleAheadMs, schedulePublisherAheadMs } from '../../../core/timing.ts';
import { minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { messageId, noticeAt, scheduleOn } from './schedule-under-test.ts';

const dynamodb = useDynamoDB();
const later = startOfTime + 60 * minuteMs;

describe('the tick', () => {
  it('hands over what is due within three minutes, each once, with its time', async () => {
    const core = await dynamodb.create();
    const { publish, tick, queued } = scheduleOn(core);
    const times = [0, 1, 2, 3, 4].map((minute) => later + minute * minuteMs);
    for (const deliverAt of times) await publish(noticeAt(deliverAt, { messageId: randomUUID() }));
    expect(queued).toEqual([]);

    core.clock.ms = later - minuteMs;
    await tick();
    expect(queued.map(({ at }) => at).sort()).toEqual(times.slice(0, 2));
    core.clock.ms += minuteMs;
    await tick();
    expect(queued.map(({ at }) => at).sort()).toEqual(times.slice(0, 3));
  });

  it('twice at once hands over each message once', async () => {
    const core = await dynamodb.create();
    const { publish, tick, queued } = scheduleOn(core);
    await publish(noticeAt(later));
    core.clock.ms = later - minuteMs;
    await tick();
    await tick();
    expect(queued).toHaveLength(1);
  });

  it('and a publisher leave no time between them', async () => {
    const core = await dynamodb.create();
    const { publish, tick, queued } = scheduleOn(core);
    core.clock.ms = later;
    await tick();
    // The tick has read the times until here, so no tick would find these messages.
    await publish(noticeAt(later + scheduleAheadMs - 1, { messageId: randomUUID() }));
    expect(queued).toHaveLength(1);
    await publish(noticeAt(later + schedulePublisherAheadMs, { messageId: randomUUID() }));
    expect(queued).toHaveLength(1);
    core.clock.ms += 2 * minuteMs;
    await tick();
    expect(queued.map(({ at }) => at)).toContain(later + schedulePublisherAheadMs);
  });

  it('after three days without one hands over all that became due meanwhile', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, tick, workAll } = scheduleOn(core);
    await tick();
    for (let hour = 1; hour <= 30; hour += 1)
      await publish(noticeAt(startOfTime + hour * 60 * minuteMs, { messageId: randomUUID(), content: hour }));
    core.clock.ms += 3 * 24 * 60 * minuteMs;
    await core.sessions.add(
      sessionOf('c2=', { connectedAt: core.clock.ms, tokenExpiresAt: core.clock.ms + minuteMs }),
    );
    await tick();
    await workAll();
    expect(core.connections.framesTo('c2=')).toHaveLength(30);
  });

  it('hands over again what the queue has lost, soon after its time', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const { publish, tick, queued, workAll } = scheduleOn(core);
    await publish(noticeAt(startOfTime + minuteMs));
    await tick();
    queued.splice(0);
    core.clock.ms += minuteMs;
    await tick();
    expect(queued).toEqual([]);
    core.clock.ms += minuteMs;
    await tick();
    expect(queued).toMatchObject([{ due: { messageId } }]);
    await workAll();
    expect(core.connections.framesTo('c1=')).toHaveLength(1);
    core.clock.ms += minuteMs;
    await tick();
    expect(queued).toEqual([]);
  });

  it('that fails begins again where it began', async () => {
    const core = await dynamodb.create();
    const { publish, tick, queued } = scheduleOn(core);
    await publish(noticeAt(later));
    core.clock.ms = later;
    const broken = scheduleOn({
      ...core,
      scheduled: { ...core.scheduled, due: () => failing() },
    });
    await expect(broken.tick()).rejects.toThrow('DynamoDB is down.');
    await tick();
    expect(queued).toHaveLength(1);
  });

  it('reads every shard, and more messages than a page has', async () => {
    const core = await dynamodb.create();
    const { tick, queued } = scheduleOn(core);
    const inOneShard = (index: number) => shardOf(idOf(index), dueShards) === 0;
    const indices = Array.from({ length: 10 * duePage }, (_, index) => index);
    const ids = [...indices.slice(0, 30), ...indices.filter(inOneShard).slice(0, duePage + 1)];
    const put = async (index: number) => {
      const due = { tenant: 'default', messageId: idOf(index), deliverAt: later, hash: 'h' };
      await core.scheduled.put(due, { request: noticeAt(later), from: undefined });
    };
    await Promise.all(ids.map(put));
    core.clock.ms = later;
    await tick();
    const found = queued.map(({ due }) => due.messageId);
    expect(new Set(found).size).toBe(found.length);
    expect(found.sort()).toEqual([...new Set(ids.map(idOf))].sort());
  });
});

function idOf(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
}

// eslint requires a yield in a generator.
async function* failing(): AsyncGenerator<never, undefined> {
  yield await Promise.reject(new Error('DynamoDB is down.'));
  return undefined;
}
