import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listUsers } from '../../../core/sessions/list-users.ts';
import type { OnlineUser } from '../../../protocol/index.ts';
import { type Core, minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const ofAll = { tenant: 'default', limit: 2 };

let opened = 0;

async function open(core: Core, userId: string, differing = {}): Promise<string> {
  const id = `c${String((opened += 1))}=`;
  await core.sessions.add(sessionOf(id, { userId, ...differing }));
  return id;
}

function close(core: Core, userId: string, id: string): Promise<void> {
  return core.sessions.remove({ tenant: 'default', userType: 'member', userId }, id);
}

/** Reads all pages. `between` runs after each. */
async function everyPage(core: Core, query: object, between: (page: number) => Promise<unknown>) {
  const pages: (readonly OnlineUser[])[] = [];
  let cursor: string | undefined;
  do {
    const page = await listUsers(core.recipients, { ...ofAll, ...query, cursor });
    pages.push(page.users);
    ({ cursor } = page);
    await between(pages.length);
  } while (cursor !== undefined);
  return pages;
}

const nothing = () => Promise.resolve();
const names = (users: readonly OnlineUser[]) => users.map(({ user }) => user);

describe('the users who are online', () => {
  it('are listed sorted, each once with the number of its sessions and the oldest of them', async () => {
    const core = await dynamodb.create();
    for (const [userId, age] of [
      ['2', 5],
      ['1', 1],
      ['1', 9],
      ['3', 2],
      ['1', 3],
    ] as const)
      await open(core, userId, { connectedAt: startOfTime - age * minuteMs });
    await open(core, '1', { userType: 'admin' });
    await open(core, '4', { tenant: 'other' });
    const at = (age: number) => startOfTime - age * minuteMs;
    expect(await everyPage(core, {}, nothing)).toEqual([
      [
        { user: 'admin:1', sessions: 1, connectedAt: startOfTime },
        { user: 'member:1', sessions: 3, connectedAt: at(9) },
      ],
      [
        { user: 'member:2', sessions: 1, connectedAt: at(5) },
        { user: 'member:3', sessions: 1, connectedAt: at(2) },
      ],
    ]);
    const pagesOfType = await everyPage(core, { userType: 'member' }, nothing);
    expect(names(pagesOfType.flat())).toEqual(['member:1', 'member:2', 'member:3']);
    expect(await everyPage(core, { userType: 'member', userId: '1' }, nothing)).toEqual([
      [{ user: 'member:1', sessions: 3, connectedAt: at(9) }],
    ]);
  });

  it('are an empty page if nobody is online, or all sessions have expired', async () => {
    const core = await dynamodb.create();
    await open(core, '1', { tokenExpiresAt: startOfTime });
    expect(await listUsers(core.recipients, ofAll)).toEqual({ users: [] });
  });

  it('are counted in full where they are many', async () => {
    const core = await dynamodb.create();
    const users = Array.from({ length: 60 }, (_, index) => String(index).padStart(2, '0'));
    await Promise.all([...users, ...users].map((userId) => open(core, userId)));
    const listed = (await everyPage(core, {}, nothing)).flat();
    expect(names(listed)).toEqual(users.map((userId) => `member:${userId}`));
    expect(new Set(listed.map(({ sessions }) => sessions))).toEqual(new Set([2]));
  });

  it('are never listed twice, and once if online all the time, while sessions come and go', async () => {
    const step = fc.record({ user: fc.nat(9), opens: fc.boolean() });
    const steps = fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9), { maxLength: 12 }), steps, async (start, changes) => {
        const core = await dynamodb.create();
        const sessions = new Map<number, string[]>();
        const add = async (user: number) =>
          sessions.set(user, [...(sessions.get(user) ?? []), await open(core, String(user))]);
        for (const user of start) await add(user);
        const always = new Set(sessions.keys());
        const pages = await everyPage(core, {}, async (page) => {
          for (const { user, opens } of changes[page] ?? []) {
            if (opens) await add(user);
            else {
              const [id, ...rest] = sessions.get(user) ?? [];
              sessions.set(user, rest);
              if (id !== undefined) await close(core, String(user), id);
            }
            if (sessions.get(user)?.length === 0) always.delete(user);
          }
        });
        const listed = names(pages.flat());
        expect(new Set(listed).size).toBe(listed.length);
        for (const user of always) expect(listed).toContain(`member:${String(user)}`);
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  it('have cursors that no other query takes', async () => {
    const core = await dynamodb.create();
    for (const userId of ['1', '2', '3']) await open(core, userId);
    const { cursor } = await listUsers(core.recipients, ofAll);
    for (const other of [{ tenant: 'other' }, { userType: 'member' }])
      await expect(listUsers(core.recipients, { ...ofAll, ...other, cursor })).rejects.toMatchObject({
        code: 'bad_request',
        details: [{ field: 'cursor' }],
      });
  });
});
