import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { allFaults } from '../../local/faults/settings.ts';
import { soak } from '../../soak/soak.ts';
import { changedAssembly, setVariable } from './changed-assembly.ts';
import { startStack } from './stack.ts';

// A publish whose function was killed is taken over by its retry after 35 s.
const maxSeconds = 170;

it(
  'loses, doubles and reorders nothing while every fault strikes: the soak, in short',
  { timeout: 180_000 },
  async () => {
    // So small a limit that a publish to everyone goes through the fan-out.
    const assembly = await changedAssembly((template) => {
      setVariable(template, 'INLINE_LIMIT', '4');
    });
    const stack = await startStack({ assembly });
    try {
      const faults = { ...allFaults, cutAfterMs: 2000, killedFunction: 0.005 };
      const { url } = stack;
      const result = await soak({ url, messages: 600, clients: 6, seed: 4, faults, maxSeconds });
      const { fired, received, published, examples, lost, doubled, outOfOrder, lostEvents } = result;
      expect(examples).toEqual([]);
      expect({ published, lost, doubled, outOfOrder, lostEvents }).toEqual({
        published: 600,
        lost: 0,
        doubled: 0,
        outOfOrder: 0,
        lostEvents: 0,
      });
      expect(result).toMatchObject({ notStored: 0, storedTwice: 0, isCutShort: false });
      expect(received).toBeGreaterThan(600);
      expect(Object.keys(fired).sort()).toEqual(Object.keys(faults).sort());
    } finally {
      await stack.close();
      await rm(assembly, { recursive: true, force: true });
    }
  },
);
