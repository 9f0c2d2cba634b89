import { describe, expect, it } from 'vitest';
import { createPublications, hashOf } from '../../../core/publications/publications.ts';
import { fanOutLostAfterMs } from '../../../core/timing.ts';
import { publicationLifetimeMs, readPublishRequest } from '../../../protocol/index.ts';
import { minuteMs, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { withInterruption, withResentWrite } from '../database-stand-ins.ts';

const dynamodb = useDynamoDB();
const id = { tenant: 'default', messageId: '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11' };
const answer = { messageId: id.messageId, status: 'delivered', delivered: 2, gone: 1, failed: 0 } as const;

describe('a messageId', () => {
  it('is claimed once, and the same request learns that a publisher is at work', async () => {
    const { publications } = await dynamodb.create();
    expect(await publications.claim(id, 'hash')).toMatchObject({ state: 'claimed' });
    expect(await publications.claim(id, 'hash')).toEqual({ state: 'running' });
  });

  it('goes to exactly one of many claims at the same time', async () => {
    const { publications } = await dynamodb.create();
    const claims = await Promise.all(Array.from({ length: 8 }, () => publications.claim(id, 'hash')));
    expect(claims.filter(({ state }) => state === 'claimed')).toHaveLength(1);
    expect(claims.filter(({ state }) => state === 'running')).toHaveLength(7);
  });

  it('returns the first answer again for a day', async () => {
    const { publications, clock } = await dynamodb.create();
    await publications.claim(id, 'hash');
    await publications.finish(id, answer);

    clock.ms += publicationLifetimeMs - 1_000;
    expect(await publications.claim(id, 'hash')).toEqual({ state: 'answered', answer });
    clock.ms += 1_000;
    expect(await publications.claim(id, 'hash')).toMatchObject({ state: 'claimed' });
  });

  it('conflicts with another body, whether the first is answered or under way', async () => {
    const { publications } = await dynamodb.create();
    await publications.claim(id, 'hash');
    expect(await publications.claim(id, 'another')).toEqual({ state: 'conflict' });
    await publications.finish(id, answer);
    expect(await publications.claim(id, 'another')).toEqual({ state: 'conflict' });
  });

  it('is a UUID, the same in upper and lower case', async () => {
    const { publications } = await dynamodb.create();
    await publications.claim(id, 'hash');
    const shouted = { ...id, messageId: id.messageId.toUpperCase() };
    expect(await publications.claim(shouted, 'hash')).toEqual({ state: 'running' });
  });

  it('belongs to its tenant', async () => {
    const { publications } = await dynamodb.create();
    await publications.claim(id, 'hash');
    expect(await publications.claim({ ...id, tenant: 'other' }, 'another')).toMatchObject({
      state: 'claimed',
    });
    expect(await publications.get({ ...id, tenant: 'third' })).toBeUndefined();
  });

  it('is free again for the same body after 35 s without an answer, because its publisher was killed', async () => {
    const { publications, clock } = await dynamodb.create();
    await publications.claim(id, 'hash');

    clock.ms += 35_000;
    expect(await publications.claim(id, 'hash')).toEqual({ state: 'running' });
    clock.ms += 1;
    expect(await publications.claim(id, 'another')).toEqual({ state: 'conflict' });
    expect(await publications.claim(id, 'hash')).toMatchObject({ state: 'claimed' });
  });

  it('of a lost publisher is taken over by one of two claims at the same time', async () => {
    const { publications, db, tables, clock } = await dynamodb.create();
    await publications.claim(id, 'hash');
    clock.ms += minuteMs;
    const claims: unknown[] = [];
    // The other claim takes it over between the read and the write of this one.
    const other = async (name: string) => {
      if (name === 'UpdateCommand') claims.push(await publications.claim(id, 'hash'));
    };
    const slow = createPublications({ db: withInterruption(db, other), table: tables.state, clock });
    expect(await slow.claim(id, 'hash')).toEqual({ state: 'running' });
    expect(claims).toMatchObject([{ state: 'claimed' }]);
  });

  it.each(['PutCommand', 'UpdateCommand'])(
    'is claimed if the answer to the claim was lost and the write was repeated: %s',
    async (command) => {
      const { publications, db, tables, clock } = await dynamodb.create();
      if (command === 'UpdateCommand') {
        await publications.claim(id, 'hash');
        clock.ms += minuteMs + 1;
      }
      const lossy = createPublications({ db: withResentWrite(db, command), table: tables.state, clock });
      expect(await lossy.claim(id, 'hash')).toMatchObject({ state: 'claimed' });
      expect(await publications.claim(id, 'hash')).toEqual({ state: 'running' });
    },
  );

  it('that was released is free for any body, and has no record', async () => {
    const { publications } = await dynamodb.create();
    const claim = await publications.claim(id, 'hash');
    if (claim.state !== 'claimed') throw new Error(claim.state);
    await publications.release(id, claim.claimId);

    expect(await publications.get(id)).toBeUndefined();
    expect(await publications.claim(id, 'another')).toMatchObject({ state: 'claimed' });
  });
});

describe('a messageId that is released', () => {
  it('is released once, even if the same write is repeated later', async () => {
    const { publications } = await dynamodb.create();
    const first = await publications.claim(id, 'hash');
    if (first.state !== 'claimed') throw new Error(first.state);
    await publications.release(id, first.claimId);
    expect(await publications.claim(id, 'hash')).toMatchObject({ state: 'claimed' });
    // The answer to the first release was lost, so it is sent again.
    await publications.release(id, first.claimId);
    expect(await publications.claim(id, 'hash')).toEqual({ state: 'running' });
  });
});

describe('the record of a publication', () => {
  it('shows the publication under way, and then its outcome', async () => {
    const { publications, clock } = await dynamodb.create();
    expect(await publications.get(id)).toBeUndefined();

    const common = { messageId: id.messageId, pending: 0, shards: [], startedAt: startOfTime };
    await publications.claim(id, 'hash');
    const none = { delivered: 0, gone: 0, failed: 0 };
    expect(await publications.get(id)).toEqual({ ...common, status: 'delivering', ...none });

    clock.ms += 250;
    await publications.finish(id, answer);
    const counts = { delivered: 2, gone: 1, failed: 0 };
    expect(await publications.get(id)).toEqual({
      ...common,
      status: 'done',
      ...counts,
      finishedAt: startOfTime + 250,
    });
  });

  it('says failed if the publisher was killed and no retry came', async () => {
    const { publications, clock } = await dynamodb.create();
    await publications.claim(id, 'hash');
    clock.ms += 35_001;
    const none = { delivered: 0, gone: 0, failed: 0, pending: 0, shards: [] };
    const expected = { messageId: id.messageId, status: 'failed', startedAt: startOfTime, ...none };
    expect(await publications.get(id)).toEqual(expected);
  });

  it('adds up the shards of a large publication, and is done when all of them are', async () => {
    const { publications, progress, clock } = await dynamodb.create();
    await publications.claim(id, 'hash');
    await publications.finish(id, { messageId: id.messageId, status: 'accepted', shards: 2 });
    const [first, second] = [0, 1].map((shard) => ({ ...id, shard, worker: 'w' }));
    if (!first || !second) throw new Error('There are two shards.');
    const firstRow = await progress.begin(first, 9);
    await progress.advance(first, firstRow, undefined, { delivered: 4, gone: 1, failed: 1 });
    const secondRow = await progress.begin(second, 5);
    await progress.advance(second, secondRow, 'c3', { delivered: 0, gone: 1, failed: 1 });

    const underWay = await publications.get(id);
    expect(underWay).toMatchObject({
      ...{ status: 'delivering', delivered: 4, gone: 2, failed: 2, pending: 3 },
      shards: [
        { shard: 0, status: 'done', delivered: 4, gone: 1, failed: 1, pending: 0 },
        { shard: 1, status: 'delivering', delivered: 0, gone: 1, failed: 1, pending: 3 },
      ],
    });
    expect(underWay).not.toHaveProperty('finishedAt');

    clock.ms += 250;
    const half = { ...secondRow, position: 'c3' };
    await progress.advance(second, half, undefined, { delivered: 2, gone: 0, failed: 0 });
    expect(await publications.get(id)).toMatchObject({
      ...{ status: 'done', delivered: 6, gone: 2, failed: 2, pending: 0 },
      shards: [{ status: 'done' }, { status: 'done' }],
      finishedAt: startOfTime + 250,
    });
  });

  it('says failed of each shard that has lost its job', async () => {
    const { publications, progress, clock } = await dynamodb.create();
    const statuses = async () => {
      const { status, shards = [] } = (await publications.get(id)) ?? {};
      return [status, ...shards.map((shard) => shard.status)];
    };
    await publications.claim(id, 'hash');
    await publications.finish(id, { messageId: id.messageId, status: 'accepted', shards: 2 });
    clock.ms += minuteMs;
    await progress.begin({ ...id, shard: 1, worker: 'w' }, 3);
    clock.ms += fanOutLostAfterMs - minuteMs;
    expect(await statuses()).toEqual(['delivering', 'delivering', 'delivering']);
    clock.ms += minuteMs;
    expect(await statuses()).toEqual(['delivering', 'failed', 'delivering']);
    clock.ms += 1;
    expect(await statuses()).toEqual(['failed', 'failed', 'failed']);
  });

  it('is kept for a day', async () => {
    const { publications, clock } = await dynamodb.create();
    await publications.claim(id, 'hash');
    clock.ms += publicationLifetimeMs - 1_000;
    expect(await publications.get(id)).toBeDefined();
    clock.ms += 1_000;
    expect(await publications.get(id)).toBeUndefined();
  });
});

describe('the hash of a request', () => {
  const body = { to: 'everyone', type: 'notice', content: { a: 1, b: { c: [1, 2], d: null } } };
  const hash = (request: object) => hashOf(readPublishRequest(request));

  it('is the same for any order of the keys, at any depth, and with defaults spelt out', () => {
    const same = { content: { b: { d: null, c: [1, 2] }, a: 1 }, tenant: 'default', type: 'notice' };
    expect(hash({ ...same, exclude: [], to: 'everyone' })).toBe(hash(body));
    expect(hash({ ...body, to: ['everyone'] })).toBe(hash(body));
  });

  it.each([
    { to: 'type:member' },
    { type: 'other' },
    { content: { a: 1, b: { c: [2, 1], d: null } } },
    { content: { a: '1', b: { c: [1, 2], d: null } } },
    { exclude: ['c1='] },
    { tenant: 'other' },
    { report: 'counts' },
  ])('changes with %j', (difference) => {
    expect(hash({ ...body, ...difference })).not.toBe(hash(body));
  });
});
