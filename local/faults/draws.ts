/**
 * Pseudo-random numbers from 0 to below 1. The same seed and name give the same numbers. The generator is Mulberry32 by
 * Tommy Ettinger: 32 bits of state, in the public domain.
 */
export function createDraws(seed: number, name: string): () => number {
  let state = hash(`${String(seed)}/${name}`);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value;
}
