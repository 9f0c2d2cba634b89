import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Core, useDynamoDB } from '../core-under-test.ts';
import { anyStep } from './steps.ts';
import { createWorld } from './world.ts';

const dynamodb = useDynamoDB();
let core: Core;
beforeAll(async () => {
  core = await dynamodb.create({ shards: 1 });
});

let users = 0;

describe('what watchers were told, when all is quiet', () => {
  it.each([
    { what: 'of a user', topics: false },
    { what: 'of a user among the subscribers of a topic', topics: true },
  ])('is the truth $what, whatever interleaves, crashes, comes late or twice', async ({ topics }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 30 }), fc.scheduler(), async (steps, scheduler) => {
        users += 1;
        const topic = topics ? `topic-${String(users)}` : undefined;
        const world = createWorld(core, String(users), topic, scheduler);
        await world.step({ kind: 'watch', calls: Infinity });
        for (const step of steps) await world.step(step);
        await world.becomeQuiet();
        expect(world.faults).toEqual([]);
        expect(new Set([world.isPresent(), ...world.views()])).toEqual(new Set([world.isPresent()]));
      }),
      { numRuns: Number(process.env['PRESENCE_RUNS'] ?? 40) },
    );
  });
});
