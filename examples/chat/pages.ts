/** An answer is one frame of at most 128 KB. */
const pageBytes = 100_000;

/** As many items as one answer carries. `next` continues after the last of them; without it there are no more. */
export function fitting<Item, Position>(
  found: readonly Item[],
  limit: number,
  positionOf: (item: Item) => Position,
): { readonly items: readonly Item[]; readonly next: { readonly next?: Position } } {
  const items: Item[] = [];
  let bytes = 0;
  for (const item of found) {
    bytes += Buffer.byteLength(JSON.stringify(item));
    if (bytes > pageBytes && items.length > 0) break;
    items.push(item);
  }
  const last = items.at(-1);
  const isMore = last !== undefined && (items.length < found.length || found.length === limit);
  return { items, next: isMore ? { next: positionOf(last) } : {} };
}
