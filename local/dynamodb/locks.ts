/** Lets writes to one item run one after the other, in the order of their calls. */
export class ItemLocks {
  /** The last task that has asked for each id. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the task after all earlier tasks with any of these ids. They are asked for at once, so nothing can deadlock. */
  async hold<T>(ids: readonly string[], task: () => Promise<T>): Promise<T> {
    const running = Promise.all(ids.map((id) => this.#last.get(id) ?? Promise.resolve())).then(task);
    const done = running.then(ignore, ignore);
    for (const id of ids) this.#last.set(id, done);
    try {
      return await running;
    } finally {
      for (const id of ids) if (this.#last.get(id) === done) this.#last.delete(id);
    }
  }
}

/** The caller gets the outcome. The next task only needs to know that this one has ended. */
function ignore(): void {
  return undefined;
}
