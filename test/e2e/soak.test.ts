import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { allFaults } from '../../local/faults/settings.ts';
import { soak } from '../../soak/soak.ts';
import { changedAssembly, setVariable } from './changed-assembly.ts';
import { stackSecret, startStack } from './stack.ts';

// If the function of a publish is killed, a retry takes over after 36 s.
const maxSeconds = 170;

it(
  'a short soak loses, doubles, reorders, alters and misdirects no message under any fault',
  { timeout: 180_000 },
  async () => {
    // The limit is small, so that a publish to everyone goes through the fan-out.
    const assembly = await changedAssembly((template) => {
      setVariable(template, 'INLINE_LIMIT', '4');
    });
    const stack = await startStack({ assembly });
    try {
      const faults = { ...allFaults, cutAfterMs: 2000, killedFunction: 0.0075 };
      const { url } = stack;
      const result = await soak({
        url,
        secret: stackSecret,
        messages: 400,
        clients: 6,
        seed: 4,
        faults,
        maxSeconds,
      });
      expect(result.examples).toEqual([]);
      expect(result).toMatchObject({ isSound: true, counts: { published: 400 } });
      expect(result.counts.received).toBeGreaterThan(400);
      expect(Object.keys(result.injected).sort()).toEqual(Object.keys(faults).sort());
    } finally {
      await stack.close();
      await rm(assembly, { recursive: true, force: true });
    }
  },
);
