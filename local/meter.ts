/**
 * Counters of everything that AWS would bill, by name: `dynamodb.PutItem`, `dynamodb.writeUnits`, `sqs.requests`,
 * `lambda.<logicalId>.invocations`, `lambda.gbSeconds`, `websocket.messages`, …
 */
export interface Meter {
  count(name: string, by?: number): void;
  /** All counters, sorted by name and ready for JSON. */
  snapshot(): Record<string, number>;
}

export function createMeter(): Meter {
  const counts = new Map<string, number>();
  return {
    count(name, by = 1) {
      counts.set(name, (counts.get(name) ?? 0) + by);
    },
    snapshot: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
