/** Remembers the last `limit` ids: delivery is at least once, so that the same message may come again. */
export function createSeen(limit: number): { isNew(id: string): boolean } {
  const ids = new Set<string>();
  return {
    isNew(id) {
      const isKnown = ids.delete(id);
      // Sets keep the order of insertion: the first id is the one not met for the longest time.
      ids.add(id);
      for (const oldest of ids) {
        if (ids.size <= limit) break;
        ids.delete(oldest);
      }
      return !isKnown;
    },
  };
}
