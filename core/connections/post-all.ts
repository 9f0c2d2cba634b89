import { DeadlinePassed, limitBy, type Limits } from './limits.ts';
import { type PostOutcome } from './outcome.ts';

export interface PostAllOptions extends Limits {
  /** How many posts are in flight at once. More than 256 gain nothing. @default 100 */
  readonly concurrency?: number;
  /** Called as each post ends. The order is not that of the recipients. */
  readonly onOutcome?: (connectionId: string, outcome: PostOutcome) => void;
}

/** The number of posts per outcome, and the reason if the run stopped before its last recipient. */
export type PostAllResult = Readonly<Record<PostOutcome['outcome'], number>> & {
  readonly stoppedBy?: 'aborted' | 'deadline';
};

export type Post = (connectionId: string, limits: Limits) => Promise<PostOutcome>;

const defaultConcurrency = 100;

/**
 * Posts to each recipient, with a bounded number of posts in flight. A recipient is read from the source only when it
 * has its turn, so 100,000 recipients take no more memory than 1,000.
 * An error of the source or of `onOutcome` is thrown on after the posts in flight have ended.
 */
export async function postToAll(
  connectionIds: Iterable<string> | AsyncIterable<string>,
  post: Post,
  { concurrency = defaultConcurrency, onOutcome, ...limits }: PostAllOptions,
  now: () => number,
): Promise<PostAllResult> {
  const counts = { sent: 0, gone: 0, throttled: 0, too_large: 0, failed: 0 };
  const faults: unknown[] = [];
  const { signal, release } = limitBy(limits, now);
  let inFlight = 0;
  let isCutShort = false;
  let wake: (() => void) | undefined;
  const nextToEnd = () => new Promise<void>((resolve) => (wake = resolve));

  const postOne = async (connectionId: string): Promise<void> => {
    try {
      const outcome = await post(connectionId, { signal });
      counts[outcome.outcome] += 1;
      onOutcome?.(connectionId, outcome);
    } catch (error) {
      faults.push(error);
    } finally {
      inFlight -= 1;
      wake?.();
    }
  };

  try {
    for await (const connectionId of connectionIds) {
      while (inFlight >= concurrency) await nextToEnd();
      isCutShort = signal?.aborted === true;
      if (isCutShort || faults.length > 0) break;
      inFlight += 1;
      void postOne(connectionId);
    }
  } finally {
    while (inFlight > 0) await nextToEnd();
    release();
  }
  if (faults.length > 0) throw faults[0];
  if (!isCutShort) return counts;
  return { ...counts, stoppedBy: signal?.reason instanceof DeadlinePassed ? 'deadline' : 'aborted' };
}
