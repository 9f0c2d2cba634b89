import { ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { createDebt, type Debt } from '../../../core/limits/debt.ts';
import { type Core, startOfTime, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const identity = { tenant: 'acme', userType: 'member', userId: '1' };
const rate = { rateLimit: 20, burstLimit: 100 };

/** The debts as one function environment sees them. */
function environment({ db, tables, clock }: Core): Debt {
  return createDebt({ db, table: tables.state, clock }, rate);
}

describe('a debt', () => {
  it('grows until it is the burst or more, and then says when it will be less', async () => {
    const core = await dynamodb.create();
    const debt = environment(core);
    const waits = [];
    for (let count = 0; count < 4; count += 1) waits.push(await debt.add(identity, 40));
    // 120 units are owed, so 20 of them, at 50 ms each, must be paid first.
    expect(waits).toEqual([0, 0, 0, 1001]);
    core.clock.ms += 1000;
    expect(await debt.add(identity, 40)).toBe(1);
    core.clock.ms += 1;
    expect(await debt.add(identity, 40)).toBe(0);
  });

  it('is the same for all function environments, even at the same time', async () => {
    const core = await dynamodb.create();
    const environments = Array.from({ length: 10 }, () => environment(core));
    const waits = await Promise.all(environments.map((debt) => debt.add(identity, 40)));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(3);
  });

  it('allows no more than the rate in the long run', async () => {
    const core = await dynamodb.create();
    const debt = environment(core);
    let units = 0;
    const end = startOfTime + 60_000;
    while (core.clock.ms < end) {
      const wait = await debt.add(identity, 40);
      if (wait === 0) units += 40;
      core.clock.ms += wait;
    }
    expect(units).toBeGreaterThanOrEqual(60 * 20);
    expect(units).toBeLessThanOrEqual(60 * 20 + 100 + 40);
  });

  it('is corrected by what was added too much or too little', async () => {
    const core = await dynamodb.create();
    const debt = environment(core);
    await debt.add(identity, 100);
    await debt.correct(identity, -40);
    expect(await debt.add(identity, 40)).toBe(0);
    await debt.correct(identity, 20);
    expect(await debt.add(identity, 1)).toBe(1001);
  });

  it('is of one user, user type and tenant', async () => {
    const debt = environment(await dynamodb.create());
    await debt.add(identity, 100);
    for (const other of [{ userId: '2' }, { userType: 'admin' }, { tenant: 'other' }])
      expect(await debt.add({ ...identity, ...other }, 1)).toBe(0);
  });

  it('costs one write for a user who owes nothing, and its row is deleted when it is paid', async () => {
    const core = await dynamodb.create();
    const debt = environment(core);
    const send = vi.spyOn(core.db, 'send').mockClear();
    await debt.add(identity, 40);
    await debt.correct(identity, 0);
    expect(send.mock.calls.map(([command]) => command.constructor)).toEqual([UpdateCommand]);
    const { Items } = await core.db.send(new ScanCommand({ TableName: core.tables.state }));
    expect(Items).toMatchObject([{ paidAt: startOfTime + 2000, expiresAt: startOfTime / 1000 + 65 }]);
  });
});
