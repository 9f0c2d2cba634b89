import type { Stack } from './stack.ts';

/** Counts of the meter, by a name of the test's own. */
export type Counts = Readonly<Record<string, number>>;

/** Tells by how much counters have grown. `keyOf` gives a counter its name, or leaves it out; those of one name add up. */
export function createMeterGrowth(stack: () => Stack, keyOf: (counter: string) => string | undefined) {
  function counted(): Counts {
    const counts: Record<string, number> = {};
    for (const [counter, count] of Object.entries(stack().cloud.meter.snapshot())) {
      const key = keyOf(counter);
      if (key !== undefined) counts[key] = (counts[key] ?? 0) + count;
    }
    return counts;
  }

  function grownSince(before: Counts): Counts {
    const grown = Object.entries(counted()).map(
      ([name, count]) => [name, count - (before[name] ?? 0)] as const,
    );
    return Object.fromEntries(grown.filter(([, by]) => by > 0));
  }

  return { counted, grownSince };
}

/** The operations of DynamoDB and its write units, each by its own name. */
export function dynamoDbCounter(counter: string): string | undefined {
  return /^dynamodb\.([A-Z]\w+|writeUnits)$/.exec(counter)?.[1];
}
