import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createFanOutWorker, retrySecondsAfter } from '../../../core/fan-out/worker.ts';
import type { FanOutJob } from '../../../core/fan-out/queue.ts';
import type { PostOutcome } from '../../../core/connections/client.ts';
import { createShardProgress, ShardTaken } from '../../../core/publications/progress.ts';
import { formatTarget, parseTarget } from '../../../protocol/index.ts';
import { type Core, later, minuteMs, sessionOf, useDynamoDB } from '../core-under-test.ts';
import { gone, throttled } from '../recording-connections.ts';
import { withResentWrite } from '../database-stand-ins.ts';

const dynamodb = useDynamoDB();
const sent = { outcome: 'sent' } as const;

function jobOf(job: Partial<FanOutJob> = {}): FanOutJob {
  return {
    tenant: 'default',
    messageId: randomUUID(),
    to: [{ kind: 'everyone' }],
    exclude: [],
    frame: '{"type":"x"}',
    reportsRecipients: false,
    shard: 0,
    ...job,
  };
}

function bodyOf(job: FanOutJob): string {
  return JSON.stringify({ ...job, to: job.to.map(formatTarget) });
}

/** A core of one shard with so many sessions, and a worker that stores a checkpoint after every two recipients. */
async function withSessions(count: number, post: (connectionId: string) => PostOutcome = () => sent) {
  const core = await dynamodb.create({ shards: 1, post });
  const ids = Array.from({ length: count }, (_, index) => `c${String(index).padStart(3, '0')}`);
  for (const id of ids) await core.sessions.add(sessionOf(id));
  const work = createFanOutWorker({ ...core, pageSize: 2 });
  const run = (job: FanOutJob, deadline = later, isLastAttempt = false) =>
    work(bodyOf(job), deadline, isLastAttempt);
  return { core, ids, run };
}

function postedTo({ connections }: Core): string[] {
  return connections.calls.map(({ connectionId }) => connectionId);
}

function shardOf(core: Core, job: FanOutJob) {
  return core.progress.read(job);
}

describe('a job of the fan-out', () => {
  it('sends its shard page by page, each session once, and counts all sessions', async () => {
    const { core, ids, run } = await withSessions(5);
    const job = jobOf();
    await run(job);
    expect(postedTo(core)).toEqual(ids);
    expect(await shardOf(core, job)).toMatchObject({
      state: 'done',
      delivered: 5,
      gone: 0,
      failed: 0,
      estimate: 5,
    });
  });

  it.each(['type:member', 'topic:orders'])('counts the sessions of %s before it sends', async (target) => {
    const { core, ids, run } = await withSessions(3);
    for (const id of ids) {
      const session = sessionOf(id);
      await core.subscriptions.subscribe({ identity: session, ...session }, 'orders', ['*']);
    }
    const job = jobOf({ to: [parseTarget(target, 'to')] });
    await run(job);
    expect(postedTo(core)).toEqual(ids);
    expect(await shardOf(core, job)).toMatchObject({ state: 'done', delivered: 3, estimate: 3 });
  });

  it('does nothing if it is delivered again', async () => {
    const { core, run } = await withSessions(3);
    const job = jobOf();
    await run(job);
    await run(job);
    expect(postedTo(core)).toHaveLength(3);
    expect(await shardOf(core, job)).toMatchObject({ delivered: 3 });
  });

  it('continues from its last checkpoint after a crash, sends the broken page again and counts it once', async () => {
    let crashes = true;
    const { core, ids, run } = await withSessions(6, (id) => {
      if (id === 'c003' && crashes) throw new Error('killed');
      return sent;
    });
    const job = jobOf();
    await expect(run(job)).rejects.toThrow('killed');
    expect(await shardOf(core, job)).toMatchObject({ state: 'delivering', delivered: 2 });
    crashes = false;
    await run(job);
    expect(new Set(postedTo(core))).toEqual(new Set(ids));
    expect(postedTo(core).filter((id) => id === 'c000')).toHaveLength(1);
    expect(await shardOf(core, job)).toMatchObject({ state: 'done', delivered: 6 });
  });

  it('that two workers have at once is counted once, and the worker that is behind gets a retry', async () => {
    const { core, ids, run } = await withSessions(7);
    const job = jobOf();
    const ends = await Promise.allSettled([run(job), run(job)]);
    const reasons = ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : []));
    expect(reasons).toEqual([new ShardTaken('Another worker is ahead with this shard.')]);
    expect(new Set(postedTo(core))).toEqual(new Set(ids));
    expect(await shardOf(core, job)).toMatchObject({ state: 'done', delivered: 7 });
    await run(job);
    expect(await shardOf(core, job)).toMatchObject({ delivered: 7 });
  });

  it.each(['PutCommand', 'UpdateCommand'])(
    'continues if the answer to its own checkpoint was lost and the write was repeated: %s',
    async (command) => {
      const { core, ids } = await withSessions(7);
      const progress = createShardProgress({
        db: withResentWrite(core.db, command),
        table: core.tables.state,
        clock: core.clock,
      });
      const job = jobOf();
      await createFanOutWorker({ ...core, progress, pageSize: 2 })(bodyOf(job), later, false);
      expect(postedTo(core)).toEqual(ids);
      expect(await shardOf(core, job)).toMatchObject({ state: 'done', delivered: 7 });
    },
  );

  it('is not reported as failed if another worker has it, even on the last attempt', async () => {
    const { core, run } = await withSessions(4, () => sent);
    const job = jobOf();
    await core.progress.begin({ ...job, worker: 'other' }, 4);
    const advance = core.progress.advance.bind(core.progress);
    core.progress.advance = async (attempt, row, ...rest) => {
      await advance({ ...attempt, worker: 'other' }, row, ...rest);
      return advance(attempt, row, ...rest);
    };
    await expect(run(job, later, true)).rejects.toThrow(ShardTaken);
    expect(await shardOf(core, job)).toMatchObject({ state: 'delivering', delivered: 2 });
  });

  it('goes back to the queue shortly before its deadline, and the next worker finishes it', async () => {
    const { core, ids, run } = await withSessions(5);
    const job = jobOf();
    await run(job, core.clock.ms + 1000);
    expect(core.jobs).toEqual([job]);
    expect(postedTo(core)).toEqual([]);
    await run(job);
    expect(postedTo(core)).toEqual(ids);
  });

  it('stops if all of a page are gone and the endpoint has not delivered before', async () => {
    const core = await dynamodb.create({ shards: 1, post: () => gone });
    for (let index = 0; index < 25; index += 1) await core.sessions.add(sessionOf(`c${String(index)}`));
    core.clock.ms += 2 * minuteMs;
    const work = createFanOutWorker({ ...core, pageSize: 100 });
    const job = jobOf();
    await expect(work(bodyOf(job), later, false)).rejects.toThrow('endpoint');
    expect((await core.recipients.ofAudience({ tenant: 'default', shard: 0 })).recipients).toHaveLength(25);
    expect(await shardOf(core, job)).toMatchObject({ state: 'delivering', delivered: 0, gone: 0 });
  });

  it.each([
    [19, 'is done, because so few may all have left', 'done'],
    [20, 'stops, because the endpoint is likely to be wrong', 'delivering'],
  ])('whose only page is %i gone recipients %s', async (count, _what, state) => {
    const core = await dynamodb.create({ shards: 1, post: () => gone });
    for (let index = 0; index < count; index += 1) await core.sessions.add(sessionOf(`c${String(index)}`));
    const job = jobOf();
    await Promise.allSettled([createFanOutWorker(core)(bodyOf(job), later, false)]);
    expect(await shardOf(core, job)).toMatchObject({ state, gone: state === 'done' ? count : 0 });
  });

  it('that fails on its last attempt is reported as failed, and the remaining recipients as pending', async () => {
    const { core, run } = await withSessions(4, (id) => {
      if (id === 'c002') throw new Error('poison');
      return sent;
    });
    const { messageId } = await publishLarge(core);
    const job = jobOf({ messageId });
    await expect(run(job, later, true)).rejects.toThrow('poison');
    expect(await core.publications.get({ tenant: 'default', messageId })).toMatchObject({
      status: 'failed',
      delivered: 2,
      pending: 2,
      shards: [{ shard: 0, status: 'failed' }],
    });
  });

  it('sends the rest despite one gone and one throttled recipient', async () => {
    const outcomes: Record<string, PostOutcome> = { c001: gone, c002: throttled };
    const { core, run } = await withSessions(5, (id) => outcomes[id] ?? sent);
    const job = jobOf({ reportsRecipients: true });
    core.clock.ms += 2 * minuteMs;
    await run(job, core.clock.ms + 60 * minuteMs);
    expect(await shardOf(core, job)).toMatchObject({ state: 'done', delivered: 3, gone: 1, failed: 1 });
    const { recipients } = await core.reports.page(job, { shard: 0 }, 10);
    expect(recipients.map(({ connectionId, outcome, reason }) => [connectionId, outcome, reason])).toEqual([
      ['c000', 'delivered', undefined],
      ['c001', 'gone', undefined],
      ['c002', 'failed', 'throttled'],
      ['c003', 'delivered', undefined],
      ['c004', 'delivered', undefined],
    ]);
  });

  it('retries throttled recipients only after all others had their turn', async () => {
    const { core, run } = await withSessions(4, (id) => (id === 'c000' ? throttled : sent));
    await run(jobOf());
    const calls = postedTo(core);
    expect(calls.indexOf('c001')).toBeLessThan(calls.indexOf('c000', calls.indexOf('c000') + 1));
  });

  it('that failed is retried soon, but after the function of another worker that has it', () => {
    expect([1, 2, 4].map((attempt) => retrySecondsAfter(new Error('throttled'), attempt))).toEqual([1, 2, 4]);
    expect(retrySecondsAfter(new ShardTaken('other'), 1)).toBeGreaterThan(29);
  });

  it('with an invalid body throws, so that it reaches the dead-letter queue', async () => {
    const { core } = await withSessions(0);
    const work = createFanOutWorker(core);
    await expect(work('{"tenant":5}', later, true)).rejects.toThrow();
  });
});

async function publishLarge(core: Core): Promise<{ messageId: string }> {
  const messageId = randomUUID();
  const id = { tenant: 'default', messageId };
  await core.publications.claim(id, 'hash');
  await core.publications.finish(id, { messageId, status: 'accepted', shards: 1 });
  return id;
}
