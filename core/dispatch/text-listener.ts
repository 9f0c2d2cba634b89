import type { ListenerContext } from './listener.ts';
import type { Requirements } from './rights.ts';

/** The context that a text listener gets with each text. */
export interface TextListenerContext extends Omit<ListenerContext<unknown>, 'content'> {
  /** The text as the client sent it. */
  readonly text: string;
}

/** The answer as it is. `undefined` or `null`: there is none. */
export type TextAnswer = string | null | undefined;

/** The code that handles bare text: what is no frame of the protocol. */
export interface TextListener {
  readonly matches: (text: string) => boolean;
  /** The claims that the sender's token must carry. @default - none */
  readonly requires?: Requirements | undefined;
  readonly handleText: (context: TextListenerContext) => TextAnswer | Promise<TextAnswer>;
}

/**
 * Defines a listener for bare text, of front ends that do not send `{"type","content"}`. The string that `handle`
 * returns, or its promise, is the answer as it is. Without one there is no answer. A `Refusal` that it throws becomes an
 * `error` frame. The first listener of the table whose `matches` says yes takes the text.
 */
export function defineTextListener(listener: {
  /** Whether this listener takes the text. @default - it takes every text */
  readonly matches?: (text: string) => boolean;
  /** As in `defineListener`. @default - none */
  readonly requires?: Requirements;
  readonly handle: TextListener['handleText'];
}): TextListener {
  const { matches = () => true, requires, handle } = listener;
  return { matches, requires, handleText: handle };
}

export function isTextListener(listener: object): listener is TextListener {
  return 'handleText' in listener;
}
