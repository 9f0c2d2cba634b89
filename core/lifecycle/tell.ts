import type { Logger } from '@aws-lambda-powertools/logger';
import { createSend, type SendParts, withTimeout } from '../targets/send.ts';
import { idOf } from '../targets/rules.ts';
import { type LifecycleTargetSettings, nameOf } from '../targets/settings.ts';
import { targetTimeoutMs } from '../timing.ts';
import { putEvent } from './event-bus.ts';
import type { LifecycleEvent } from './event.ts';
import type { Retry, RetryQueue } from './retries.ts';

export interface TellOptions extends SendParts {
  readonly targets: readonly LifecycleTargetSettings[];
  readonly retries: Pick<RetryQueue, 'add'>;
  readonly logger: Pick<Logger, 'warn'>;
}

interface Target {
  readonly id: string;
  readonly name: string;
  readonly send: (event: LifecycleEvent) => Promise<unknown>;
}

export type Tell = ReturnType<typeof createTell>;

/** Tells lifecycle targets of sessions that begin and end. */
export function createTell({ targets: settings, retries, logger, ...parts }: TellOptions) {
  const targets = settings.map((each): Target => {
    return { id: idOf(each), name: nameOf(each), send: sendTo(each, parts) };
  });

  return {
    /** Tells all targets, side by side. An event that a target did not take waits in the queue for that target. */
    async all(event: LifecycleEvent): Promise<void> {
      const outcomes = await Promise.allSettled(
        targets.map(async ({ id, name, send }) => {
          try {
            await send(event);
          } catch (cause) {
            logger.warn('lifecycle target failed', { target: name, messageId: event.messageId, cause });
            await retries.add({ target: id, event });
          }
        }),
      );
      const failure = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failure) throw new Error('The queue of retries took no event.', { cause: failure.reason });
    },

    /** Tells one target again. An event for a target that has been removed is dropped. */
    async again({ target: id, event }: Retry): Promise<void> {
      const target = targets.find((each) => each.id === id);
      if (!target) logger.warn('lifecycle target is gone', { target: id, messageId: event.messageId });
      await target?.send(event);
    },
  };
}

function sendTo(settings: LifecycleTargetSettings, parts: SendParts): Target['send'] {
  if (!('eventBus' in settings)) return createSend(settings, parts);
  const { eventBus } = settings;
  return withTimeout(
    (event: LifecycleEvent, signal) => putEvent(eventBus, event, signal),
    targetTimeoutMs.default,
  );
}
