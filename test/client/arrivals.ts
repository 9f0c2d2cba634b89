/** What came, in order, until a test asks for it: tests wait on this instead of sleeping. */
export class Arrivals<Item> {
  private items: readonly Item[] = [];
  private readonly waiting: { isWanted: (item: Item) => boolean; resolve: (item: Item) => void }[] = [];

  /** Everything that came and was not taken. */
  get all(): readonly Item[] {
    return this.items;
  }

  readonly push = (item: Item): void => {
    const index = this.waiting.findIndex(({ isWanted }) => isWanted(item));
    const [reader] = index < 0 ? [] : this.waiting.splice(index, 1);
    if (reader) reader.resolve(item);
    else this.items = [...this.items, item];
  };

  /** The first that is wanted, whether it came or is to come; the others stay. */
  next(isWanted: (item: Item) => boolean = () => true): Promise<Item> {
    const found = this.items.find(isWanted);
    if (found === undefined) return new Promise((resolve) => this.waiting.push({ isWanted, resolve }));
    this.items = this.items.filter((item) => item !== found);
    return Promise.resolve(found);
  }
}
