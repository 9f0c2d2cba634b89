/**
 * Plain counters of what AWS would bill, by name: `dynamodb.PutItem`, `dynamodb.writeUnits`, `sqs.requests`,
 * `lambda.<logicalId>.invocations`, `lambda.gbSeconds`, `websocket.messages`, …
 */
export class Meter {
  readonly #counts = new Map<string, number>();

  count(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  /** All counters in the order of their names, ready for JSON. */
  snapshot(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
