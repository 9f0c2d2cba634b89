/**
 * Tells whether an id is new among the last `limit` ids. Delivery is at least once, so a message may come again.
 */
export function createSeen(limit: number): (id: string) => boolean {
  const ids = new Set<string>();
  return (id) => {
    if (ids.has(id)) return false;
    ids.add(id);
    // A Set keeps the order of insertion, so the first id is the oldest.
    const [oldest = ''] = ids;
    if (ids.size > limit) ids.delete(oldest);
    return true;
  };
}
