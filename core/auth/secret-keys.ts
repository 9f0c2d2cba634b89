import type { Clock } from '../clock.ts';

/** `AWSPREVIOUS` is what `AWSCURRENT` was before the last rotation. */
export type SecretVersion = 'AWSCURRENT' | 'AWSPREVIOUS';

/** Resolves to the text of a version of the secret. `undefined`: there is no such version. */
export type ReadSecretVersion = (version: SecretVersion) => Promise<string | undefined>;

export interface SecretKeys {
  /** The keys as they were read last. The current key comes first. */
  known(): Promise<readonly Uint8Array[]>;
  /** Both keys, read anew. None if they were read a moment ago. */
  reread(): Promise<readonly Uint8Array[]>;
}

/** A secret that was rotated away twice is forgotten after this. */
const lifetimeMs = 5 * 60_000;

/** Bad tokens cause no more reads than one in this time. */
const rereadCooldownMs = 30_000;

/** The keys that users' tokens are signed with. Few tokens need the previous one, so it is read for those only. */
export function createSecretKeys(readVersion: ReadSecretVersion, { now }: Pick<Clock, 'now'>): SecretKeys {
  let keys: readonly Uint8Array[] = [];
  let readAt = -Infinity;
  let rereadAt = -Infinity;

  async function readCurrent(): Promise<Uint8Array> {
    const text = await readVersion('AWSCURRENT');
    if (text === undefined) throw new Error('The token secret holds no text.');
    return encode(text);
  }

  return {
    async known() {
      const startedAt = now();
      if (startedAt - readAt < lifetimeMs) return keys;
      keys = [await readCurrent()];
      readAt = startedAt;
      return keys;
    },
    async reread() {
      const startedAt = now();
      if (startedAt - rereadAt < rereadCooldownMs) return [];
      const [current, previous] = await Promise.all([readCurrent(), readVersion('AWSPREVIOUS')]);
      keys = previous === undefined ? [current] : [current, encode(previous)];
      readAt = rereadAt = startedAt;
      return keys;
    },
  };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
