/**
 * Entries that wait, by lane. The lanes take turns, and a lane's own entries leave in order. So an entry waits for at most
 * one entry of each other lane, however many that lane has.
 */
export class FairQueue<Entry> {
  /** A map keeps the order in which its keys came. The first lane has the next turn. */
  readonly #lanes = new Map<unknown, Entry[]>();

  push(lane: unknown, entry: Entry): void {
    const entries = this.#lanes.get(lane);
    if (entries) entries.push(entry);
    else this.#lanes.set(lane, [entry]);
  }

  shift(): Entry | undefined {
    for (const [lane, entries] of this.#lanes) {
      const entry = entries.shift();
      this.#lanes.delete(lane);
      if (entries.length > 0) this.#lanes.set(lane, entries);
      return entry;
    }
    return undefined;
  }
}
