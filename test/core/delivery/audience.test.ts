import { describe, expect, it } from 'vitest';
import { type AudienceRequest, resolveAudience } from '../../../core/delivery/audience.ts';
import { parseTarget } from '../../../protocol/index.ts';
import { type Core, idsOf, minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();

describe('the audience of', () => {
  it.each([
    { to: ['everyone'], ids: ['admin-1', 'member-1a', 'member-1b', 'member-2', 'memberish-1'] },
    { to: ['type:member'], ids: ['member-1a', 'member-1b', 'member-2'] },
    { to: ['type:memberish'], ids: ['memberish-1'] },
    { to: ['type:m'], ids: [] },
    { to: ['user:member:1'], ids: ['member-1a', 'member-1b'] },
    { to: ['user:admin:1'], ids: ['admin-1'] },
    { to: ['user:member:9'], ids: [] },
    { to: ['session:member-2'], ids: ['member-2'] },
    { to: ['session:other-1'], ids: [] },
    { to: ['session:unknown'], ids: [] },
    { to: ['user:member:1', 'session:member-1a', 'type:member', 'everyone', 'everyone'], ids: 'everyone' },
    { to: ['session:member-2', 'user:admin:1'], ids: ['admin-1', 'member-2'] },
  ])('$to is $ids', async ({ to, ids }) => {
    const core = await threeTenantsOn(await dynamodb.create());
    const everyone = ['admin-1', 'member-1a', 'member-1b', 'member-2', 'memberish-1'];
    expect(await resolve(core, { to })).toEqual(ids === 'everyone' ? everyone : ids);
  });

  it('one user id in two tenants is two users', async () => {
    const core = await threeTenantsOn(await dynamodb.create());
    expect(await resolve(core, { to: ['user:member:1'], tenant: 'other' })).toEqual(['other-1']);
    expect(await resolve(core, { to: ['everyone', 'type:member'], tenant: 'other' })).toEqual(['other-1']);
    expect(await resolve(core, { to: ['session:member-1a'], tenant: 'other' })).toEqual([]);
  });

  it('a tenant leaves out tenants whose names begin with its name', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1=', { tenant: 'acme-2' }));
    expect(await resolve(core, { to: ['everyone', 'user:member:1'], tenant: 'acme' })).toEqual([]);
  });

  it('any target leaves out excluded sessions', async () => {
    const core = await threeTenantsOn(await dynamodb.create());
    const exclude = ['member-1a', 'unknown'];
    expect(await resolve(core, { to: ['user:member:1', 'session:member-1a'], exclude })).toEqual([
      'member-1b',
    ]);
  });

  it('a session whose token has expired is empty', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1=', { tokenExpiresAt: startOfTime + minuteMs }));
    core.clock.ms += minuteMs;
    expect(await resolve(core, { to: ['everyone', 'user:member:1', 'session:c1='] })).toEqual([]);
  });

  it('a topic is its subscribers within the tenant', async () => {
    const core = await dynamodb.create();
    for (const session of [sessionOf('a'), sessionOf('b'), sessionOf('c', { tenant: 'other' })]) {
      await core.sessions.add(session);
      if (session.connectionId === 'b') continue;
      await core.subscriptions.subscribe({ identity: session, ...session }, 'orders', ['*']);
    }
    expect(await resolve(core, { to: ['topic:orders'] })).toEqual(['a']);
    expect(await resolve(core, { to: ['topic:orders'], tenant: 'other' })).toEqual(['c']);
    expect(await resolve(core, { to: ['topic:order'] })).toEqual([]);
  });
});

describe('an audience', () => {
  it.each(['user:member:1', 'type:member', 'everyone'])('of %s is large only above the limit', async (to) => {
    const core = await dynamodb.create();
    for (const id of ['a', 'b', 'c', 'd']) await core.sessions.add(sessionOf(id));

    expect(await sizeAt(core, to, 4)).toBe(4);
    expect(await sizeAt(core, to, 3)).toBe('large');
    expect(await sizeAt(core, to, 1)).toBe('large');
  });

  it('counts each session once, and no excluded session, against the limit', async () => {
    const core = await dynamodb.create();
    for (const id of ['a', 'b', 'c']) await core.sessions.add(sessionOf(id));

    const request = { tenant: 'default', to: targets(['everyone', 'user:member:1', 'session:a']) };
    expect(await resolveAudience(core.recipients, { ...request, exclude: [] }, 3)).toMatchObject({
      size: 'inline',
    });
    expect(await resolveAudience(core.recipients, { ...request, exclude: ['b'] }, 2)).toMatchObject({
      size: 'inline',
    });
  });

  it('is read no further than one session above the limit', async () => {
    const core = await dynamodb.create({ shards: 1 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) await core.sessions.add(sessionOf(id));
    const ofAudience = core.recipients.ofAudience.bind(core.recipients);
    const read: string[][] = [];
    core.recipients.ofAudience = async (...of) => {
      const page = await ofAudience(...of);
      read.push(idsOf(page.recipients));
      return page;
    };
    expect(await sizeAt(core, 'everyone', 1)).toBe('large');
    expect(read).toEqual([['a', 'b']]);
  });

  it('is complete if a shard is read in several pages', async () => {
    const core = await dynamodb.create({ shards: 1 });
    // Expired rows still fill pages. The sessions after them must be found.
    for (const id of ['a', 'b', 'c', 'd'])
      await core.sessions.add(sessionOf(id, { tokenExpiresAt: startOfTime }));
    for (const id of ['x', 'y']) await core.sessions.add(sessionOf(id));

    expect(await sizeAt(core, 'everyone', 2)).toBe(2);
    expect(await sizeAt(core, 'everyone', 1)).toBe('large');
  });
});

async function threeTenantsOn(core: Core): Promise<Core> {
  await Promise.all(
    [
      sessionOf('member-1a'),
      sessionOf('member-1b'),
      sessionOf('member-2', { userId: '2' }),
      sessionOf('memberish-1', { userType: 'memberish' }),
      sessionOf('admin-1', { userType: 'admin' }),
      sessionOf('other-1', { tenant: 'other' }),
      sessionOf('third-1', { tenant: 'default2' }),
    ].map((session) => core.sessions.add(session)),
  );
  return core;
}

async function resolve(
  { recipients }: Core,
  { to, tenant = 'default', exclude = [] }: { to: readonly string[] } & Partial<Omit<AudienceRequest, 'to'>>,
): Promise<string[]> {
  const audience = await resolveAudience(recipients, { tenant, to: targets(to), exclude }, 100);
  if (audience.size === 'large') throw new Error('The audience is larger than a test makes it.');
  return idsOf(audience.recipients);
}

async function sizeAt({ recipients }: Core, to: string, limit: number): Promise<number | 'large'> {
  const audience = await resolveAudience(
    recipients,
    { tenant: 'default', to: targets([to]), exclude: [] },
    limit,
  );
  return audience.size === 'large' ? 'large' : audience.recipients.length;
}

function targets(to: readonly string[]) {
  return to.map((target) => parseTarget(target, 'to'));
}
