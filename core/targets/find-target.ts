import { Refusal } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { Listener } from '../dispatch/listener.ts';
import { readAnswer } from './answer.ts';
import type { MessageEvent, Send } from './event.ts';
import { isServerType } from './rules.ts';
import { createSend, type SendParts } from './send.ts';
import { type MessageTargetSettings, nameOf } from './settings.ts';

interface Target {
  readonly pattern: string;
  readonly name: string;
  readonly send: Send;
}

/** Finds the target of a message type. Of several patterns that match, the most specific one counts. */
export function createFindTarget(
  settings: readonly MessageTargetSettings[],
  parts: SendParts & { readonly clock: Pick<Clock, 'now' | 'newId'> },
): (type: string) => Listener | undefined {
  const targets = settings
    .map((each): Target => ({ pattern: each.pattern, name: nameOf(each), send: createSend(each, parts) }))
    .sort((a, b) => precision(b.pattern) - precision(a.pattern));
  return (type) => {
    const target = isServerType(type) ? undefined : targets.find(({ pattern }) => matches(pattern, type));
    return target && listenerOf(type, target, parts.clock);
  };
}

function listenerOf(
  type: string,
  { pattern, name, send }: Target,
  clock: Pick<Clock, 'now' | 'newId'>,
): Listener {
  return {
    type,
    accept: (content) =>
      Promise.resolve({
        isText: false,
        async handle({ from, session = null, topics }) {
          const event: MessageEvent = {
            kind: 'message',
            messageId: clock.newId(),
            type,
            content: content ?? null,
            from,
            session,
            topics: topics.patterns,
            sentAt: clock.now(),
          };
          try {
            return readAnswer(await send(event));
          } catch (cause) {
            if (cause instanceof Refusal) throw cause;
            throw new Error(`The target ${pattern} (${name}) failed.`, { cause });
          }
        },
      }),
  };
}

function matches(pattern: string, type: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

/** An exact type comes before any prefix, and a longer prefix before a shorter one. */
function precision(pattern: string): number {
  return pattern.endsWith('*') ? pattern.length : Infinity;
}
