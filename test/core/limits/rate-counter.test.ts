import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { createRateCounter, type Take } from '../../../core/limits/rate-counter.ts';
import { type Core, startOfTime, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const rate = { rateLimit: 20, burstLimit: 40 };

/** A counter of one function environment. */
function environment({ db, tables, clock }: Core): Take {
  return createRateCounter({ db, table: tables.state, clock }, rate);
}

/** How many of the frames passed. */
async function passed(take: Take, count: number, units = 1, key = 'c1'): Promise<number> {
  let sum = 0;
  for (let sent = 0; sent < count; sent += 1) if ((await take(key, units)) === 0) sum += 1;
  return sum;
}

describe('a rate counter', () => {
  it('lets the burst pass in a window, and then says how long the window lasts', async () => {
    const core = await dynamodb.create();
    const take = environment(core);
    core.clock.ms += 500;
    expect(await passed(take, 100)).toBe(40);
    expect(await take('c1', 1)).toBe(1500);
    expect(await take('c2', 1)).toBe(0);
    core.clock.ms += 1500;
    expect(await passed(take, 100)).toBe(40);
  });

  it('counts units, not frames', async () => {
    const core = await dynamodb.create();
    const take = environment(core);
    expect(await passed(take, 20, 5)).toBe(8);
  });

  it('writes nothing for a quiet key, and nothing for refused units', async () => {
    const core = await dynamodb.create();
    const take = environment(core);
    const send = vi.spyOn(core.db, 'send').mockClear();
    await passed(take, 5);
    expect(send).not.toHaveBeenCalled();
    await passed(take, 35);
    const writes = send.mock.calls.length;
    expect(writes).toBeLessThanOrEqual(40 / 6);
    await passed(take, 1000);
    expect(send.mock.calls).toHaveLength(writes);
  });

  it('lets a flood over many environments pass little more than the burst', async () => {
    const core = await dynamodb.create();
    const environments = Array.from({ length: 8 }, () => environment(core));
    const counts = await Promise.all(environments.map((take) => passed(take, 100)));
    const sum = counts.reduce((total, count) => total + count);
    expect(sum).toBeGreaterThanOrEqual(40);
    expect(sum).toBeLessThanOrEqual(40 + 8 * (40 / 8 + 1));
  });

  it('leaves rows that DynamoDB deletes when their window is over', async () => {
    const core = await dynamodb.create();
    await passed(environment(core), 10);
    const { Items } = await core.db.send(new ScanCommand({ TableName: core.tables.state }));
    expect(Items).toMatchObject([{ units: 6, expiresAt: startOfTime / 1000 + 2 }]);
  });
});
