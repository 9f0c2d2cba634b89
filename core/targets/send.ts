import { createInvoke } from './invoke.ts';
import type { Send } from './event.ts';
import { createPost, type PostParts } from './post.ts';
import type { TargetSettings } from './settings.ts';

export interface SendParts extends PostParts {
  /** The endpoint of Lambda. `undefined`: that of AWS. */
  readonly endpoint: string | undefined;
}

export function createSend(settings: TargetSettings, parts: SendParts): Send {
  const send = 'lambda' in settings ? createInvoke(settings.lambda, parts) : createPost(settings, parts);
  return withTimeout(send, settings.timeoutMs);
}

/** Gives up after a time. The error says so. */
export function withTimeout<Event, Answer>(
  send: (event: Event, signal: AbortSignal) => Promise<Answer>,
  timeoutMs: number,
): (event: Event) => Promise<Answer> {
  return async (event) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await send(event, signal);
    } catch (cause) {
      if (signal.aborted) throw new Error(`There was no answer within ${timeoutMs} ms.`, { cause });
      throw cause;
    }
  };
}
