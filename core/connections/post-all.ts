import { DeadlinePassed, limitBy, type Limits } from './limits.ts';
import { type PostOutcome } from './outcome.ts';

export interface PostAllOptions extends Limits {
  /** How many posts are on their way at once; above 256 nothing is gained. */
  readonly concurrency?: number;
  /** Called as each post ends, in no particular order. */
  readonly onOutcome?: (connectionId: string, outcome: PostOutcome) => void;
}

/** How many posts ended in each way, and what ended the run before its last recipient, if anything did. */
export type PostAllResult = Readonly<Record<PostOutcome['outcome'], number>> & {
  readonly stoppedBy?: 'aborted' | 'deadline';
};

export type Post = (connectionId: string, limits: Limits) => Promise<PostOutcome>;

const defaultConcurrency = 100;

/**
 * Posts to one recipient after another with a bounded number on their way. The recipients are drawn only as fast as
 * they are sent to, so memory is the same for a thousand and for a hundred thousand.
 * What the source or `onOutcome` throws is thrown on, after the posts on their way have ended.
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
  let onTheirWay = 0;
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
      onTheirWay -= 1;
      wake?.();
    }
  };

  try {
    for await (const connectionId of connectionIds) {
      while (onTheirWay >= concurrency) await nextToEnd();
      isCutShort = signal?.aborted === true;
      if (isCutShort || faults.length > 0) break;
      onTheirWay += 1;
      void postOne(connectionId);
    }
  } finally {
    while (onTheirWay > 0) await nextToEnd();
    release();
  }
  if (faults.length > 0) throw faults[0];
  if (!isCutShort) return counts;
  return { ...counts, stoppedBy: signal?.reason instanceof DeadlinePassed ? 'deadline' : 'aborted' };
}
