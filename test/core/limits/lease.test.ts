import { describe, expect, it } from 'vitest';
import { createLease } from '../../../core/limits/lease.ts';
import { type Core, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();

function leaseOf({ db, tables, clock }: Core) {
  return createLease({ db, table: tables.state, clock });
}

describe('a lease', () => {
  it('has one holder at a time, of many that ask at once', async () => {
    const lease = leaseOf(await dynamodb.create());
    const holders = await Promise.all(Array.from({ length: 10 }, () => lease('a', 1000)));
    expect(holders.filter((release) => release !== undefined)).toHaveLength(1);
    expect(await lease('b', 1000)).toBeTypeOf('function');
  });

  it('is free again after its release, or when its time is over', async () => {
    const core = await dynamodb.create();
    const lease = leaseOf(core);
    const release = await lease('a', 1000);
    await release?.();
    expect(await lease('a', 1000)).toBeTypeOf('function');
    expect(await lease('a', 1000)).toBeUndefined();
    core.clock.ms += 1000;
    expect(await lease('a', 1000)).toBeTypeOf('function');
  });

  it('is not released by a holder whose time was over', async () => {
    const core = await dynamodb.create();
    const lease = leaseOf(core);
    const releaseLate = await lease('a', 1000);
    core.clock.ms += 1000;
    await lease('a', 5000);
    await releaseLate?.();
    expect(await lease('a', 1000)).toBeUndefined();
  });
});
