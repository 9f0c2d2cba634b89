import { describe, expect, it } from 'vitest';
import { createSettle } from '../../../core/presence/settle.ts';
import { presenceHoldMs } from '../../../core/timing.ts';
import { sessionOf, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const user = { tenant: 'default', userType: 'member', userId: '1' };
const watched = { kind: 'user', name: 'member:1' } as const;

/** A watched user who is online. `during` runs while an announcement is under way. */
async function online(during: (settle: () => Promise<unknown>) => Promise<void> = () => Promise.resolve()) {
  const core = await dynamodb.create({ shards: 1 });
  const told: boolean[] = [];
  const delays: number[] = [];
  const settleSubject = createSettle({
    ...core,
    announce: async (_subject, isPresent) => {
      told.push(isPresent);
      if (told.length === 1) await during(settle);
    },
    queue: {
      send: (_task, delayMs) => {
        delays.push(delayMs);
        return Promise.resolve();
      },
    },
    graceMs: 0,
  });
  const settle = () => settleSubject({ user }, {});
  await core.sessions.add(sessionOf('a='));
  await core.states.watch('default', watched);
  await settle();
  return { core, told, delays, settle };
}

describe('a user who changes while a function announces', () => {
  it('is announced by that function, right after', async () => {
    let open = () => Promise.resolve();
    const { core, told, delays, settle } = await online(async (again) => {
      await open();
      expect(await again()).toBeUndefined();
    });
    open = () => core.sessions.add(sessionOf('b='));
    await core.sessions.remove(user, 'a=');
    expect(await settle()).toMatchObject({ isPresent: true });
    expect(told).toEqual([false, true]);
    // In case that the holder is killed.
    expect(delays).toEqual([presenceHoldMs]);
  });
});

describe('a user whose holder was killed', () => {
  it('is left alone while it may live, and then announced anew', async () => {
    const { core, told, settle } = await online();
    await core.states.take({ user });
    expect(await settle()).toBeUndefined();
    expect(told).toEqual([]);
    core.clock.ms += presenceHoldMs;
    expect(await settle()).toMatchObject({ isPresent: true });
    expect(told).toEqual([true]);
    await settle();
    expect(told).toEqual([true]);
  });
});
