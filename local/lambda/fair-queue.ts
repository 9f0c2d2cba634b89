/**
 * Entries that wait, by lane. Lanes with a backlog take turns. Every second turn goes to a lane without one, if there is
 * such a lane. So a lane with one entry at a time waits little, however many entries the others have.
 */
export class FairQueue<Entry> {
  /** Lanes with one entry that has waited for no other. Maps keep the order in which their keys came. */
  readonly #single = new Map<unknown, Entry[]>();
  readonly #backlogs = new Map<unknown, Entry[]>();
  #isBacklogNext = false;

  push(lane: unknown, entry: Entry): void {
    const waiting = this.#backlogs.get(lane) ?? this.#single.get(lane);
    if (!waiting) this.#single.set(lane, [entry]);
    else {
      waiting.push(entry);
      if (this.#single.delete(lane)) this.#backlogs.set(lane, waiting);
    }
  }

  shift(): Entry | undefined {
    const turn = this.#isBacklogNext ? this.#backlogs : this.#single;
    this.#isBacklogNext = !this.#isBacklogNext;
    return this.#take(turn) ?? this.#take(turn === this.#single ? this.#backlogs : this.#single);
  }

  #take(lanes: Map<unknown, Entry[]>): Entry | undefined {
    for (const [lane, entries] of lanes) {
      const entry = entries.shift();
      lanes.delete(lane);
      if (entries.length > 0) lanes.set(lane, entries);
      return entry;
    }
    return undefined;
  }
}
