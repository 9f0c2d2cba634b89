/** Values in the order they came. A test waits for the next one instead of sleeping. */
export class Queue<Value> {
  #values: readonly Value[] = [];
  readonly #waiting: {
    readonly isWanted: (value: Value) => boolean;
    readonly resolve: (value: Value) => void;
  }[] = [];

  /** The values that nobody has taken yet. */
  get values(): readonly Value[] {
    return this.#values;
  }

  readonly push = (value: Value): void => {
    const at = this.#waiting.findIndex(({ isWanted }) => isWanted(value));
    const [waiter] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (waiter) waiter.resolve(value);
    else this.#values = [...this.#values, value];
  };

  /** Takes the first wanted value, or waits for it; the others stay. */
  next(isWanted: (value: Value) => boolean = () => true): Promise<Value> {
    const at = this.#values.findIndex(isWanted);
    const [value] = this.#values.slice(at, at + 1);
    if (at < 0 || value === undefined)
      return new Promise((resolve) => this.#waiting.push({ isWanted, resolve }));
    this.#values = this.#values.toSpliced(at, 1);
    return Promise.resolve(value);
  }
}
