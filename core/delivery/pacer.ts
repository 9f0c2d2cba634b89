export interface PacerOptions {
  /** Per second. */
  readonly rate: number;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

/** Resolves when the next request may go. */
export type Pacer = () => Promise<void> | undefined;

/** What a pause shorter than this keeps from going, such as a checkpoint, may go right after it. */
const windowMs = 100;

/** A token bucket: never more than `rate` requests in a second, and no burst beyond the window. */
export function createPacer({ rate, now, wait }: PacerOptions): Pacer {
  const most = Math.max(1, (rate * windowMs) / 1000);
  let free = most;
  let filledAt = now();

  function take(): boolean {
    free = Math.min(most, free + ((now() - filledAt) * rate) / 1000);
    filledAt = now();
    // A wait that should end at one whole token may fall short of it by a rounding.
    if (free < 1 - 1e-6) return false;
    free -= 1;
    return true;
  }

  async function takeLater(): Promise<void> {
    do await wait(Math.max(1, ((1 - free) * 1000) / rate));
    while (!take());
  }

  return () => (take() ? undefined : takeLater());
}
