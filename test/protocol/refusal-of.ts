import { Refusal } from '../../protocol/index.ts';

/** The refusal that `read` ends in; anything else it does fails the test. */
export function refusalOf(read: () => unknown): Refusal {
  return refusalIn(readingOf(read));
}

/** The refusal that a promise is rejected with; anything else it does fails the test. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Refusal> {
  return refusalIn(await promise.catch((cause: unknown) => cause));
}

/** What `read` gives, or the refusal that it ends in. */
export function readingOf<Value>(read: () => Value): Value | Refusal {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Refusal) return cause;
    throw cause;
  }
}

function refusalIn(end: unknown): Refusal {
  if (end instanceof Refusal) return end;
  throw new Error('It was not refused.', { cause: end });
}
