/** A queue of arrived items. A test waits on the queue instead of sleeping. */
export class Arrivals<Item> {
  private items: readonly Item[] = [];
  private readonly waiting: { isWanted: (item: Item) => boolean; resolve: (item: Item) => void }[] = [];

  /** The items that arrived and were not taken yet. */
  get all(): readonly Item[] {
    return this.items;
  }

  readonly push = (item: Item): void => {
    const index = this.waiting.findIndex(({ isWanted }) => isWanted(item));
    const [reader] = index < 0 ? [] : this.waiting.splice(index, 1);
    if (reader) reader.resolve(item);
    else this.items = [...this.items, item];
  };

  /** Takes the first wanted item, and waits for it if necessary. The other items stay. */
  next(isWanted: (item: Item) => boolean = () => true): Promise<Item> {
    const found = this.items.find(isWanted);
    if (found === undefined) return new Promise((resolve) => this.waiting.push({ isWanted, resolve }));
    this.items = this.items.filter((item) => item !== found);
    return Promise.resolve(found);
  }
}
