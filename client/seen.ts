/**
 * Tells whether an id is new, by the last `limit` of them: delivery is at least once, so that the same message may come
 * again.
 */
export function createSeen(limit: number): (id: string) => boolean {
  const ids = new Set<string>();
  return (id) => {
    if (ids.has(id)) return false;
    ids.add(id);
    // Sets keep the order of insertion.
    const [oldest = ''] = ids;
    if (ids.size > limit) ids.delete(oldest);
    return true;
  };
}
