import { Refusal } from '../../protocol/index.ts';

/** The refusal that `read` ends in; anything else it does fails the test. */
export function refusalOf(read: () => unknown): Refusal {
  try {
    read();
  } catch (cause) {
    if (cause instanceof Refusal) return cause;
    throw cause;
  }
  throw new Error('It was not refused.');
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
