import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readShardAudience } from '../../../core/fan-out/shard-audience.ts';
import { parseTarget } from '../../../protocol/index.ts';
import { idsOf, sessionOf, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();

describe('the audience of a shard', () => {
  it('is everyone in it, also if connection ids sort after the names of user types', async () => {
    const core = await dynamodb.create({ shards: 1 });
    const ids = ['a1', 'a2', 'z1', 'z2'];
    for (const id of ids) await core.sessions.add(sessionOf(id));
    const everyone = { tenant: 'default', to: [{ kind: 'everyone' }], exclude: [], shard: 0 } as const;
    const audience = await readShardAudience(core.recipients, everyone);
    const first = await audience.page(undefined, 3);
    const second = await audience.page(first.next, 3);
    expect(idsOf([...first.recipients, ...second.recipients])).toEqual(ids);
  });

  it.each([
    ['first', ['type:member', 'topic:rare']],
    ['last', ['topic:rare', 'type:member']],
  ])('is complete if its longer source is %s, and the other one ends before', async (_at, to) => {
    const core = await dynamodb.create({ shards: 1 });
    const ids = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'];
    for (const id of ids) await core.sessions.add(sessionOf(id));
    const session = sessionOf('c0');
    await core.subscriptions.subscribe({ identity: session, ...session }, 'rare', ['*']);
    const targets = to.map((target) => parseTarget(target, 'to'));
    const request = { tenant: 'default', to: targets, exclude: [], shard: 0 };
    const audience = await readShardAudience(core.recipients, request);
    const first = await audience.page(undefined, 4);
    const second = await audience.page(first.next, 4);
    expect(idsOf([...first.recipients, ...second.recipients])).toEqual(ids);
  });

  it('is the union of its targets, each session once, with pages of any size', async () => {
    const core = await dynamodb.create({ shards: 1 });
    const types = ['member', 'reader'];
    const ids = Array.from({ length: 30 }, (_, index) => `c${String(index).padStart(2, '0')}`);
    for (const [index, id] of ids.entries()) {
      const session = sessionOf(id, { userType: types[index % 2] ?? '', userId: String(index % 5) });
      await core.sessions.add(session);
      for (const topic of ['a', 'b'].filter((_, bit) => index % (bit + 2) === 0)) {
        await core.subscriptions.subscribe({ identity: session, ...session }, topic, ['*']);
      }
    }
    const byTarget: Record<string, (index: number) => boolean> = {
      'type:member': (index) => index % 2 === 0,
      'type:reader': (index) => index % 2 === 1,
      'topic:a': (index) => index % 2 === 0,
      'topic:b': (index) => index % 3 === 0,
      'user:member:2': (index) => index % 2 === 0 && index % 5 === 2,
      'session:c07': (index) => index === 7,
      everyone: () => true,
    };
    const targets = fc.uniqueArray(fc.constantFrom(...Object.keys(byTarget)), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        targets,
        fc.integer({ min: 1, max: 9 }),
        fc.subarray(ids),
        async (to, limit, exclude) => {
          const request = {
            tenant: 'default',
            to: to.map((target) => parseTarget(target, 'to')),
            exclude,
            shard: 0,
          };
          const audience = await readShardAudience(core.recipients, request);
          const found: string[] = [];
          let position: string | undefined;
          do {
            const page = await audience.page(position, limit);
            found.push(...page.recipients.map(({ connectionId }) => connectionId));
            position = page.next;
          } while (position !== undefined);
          const expected = ids.filter(
            (id, index) => !exclude.includes(id) && to.some((target) => byTarget[target]?.(index)),
          );
          expect(found.sort()).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});
