import { Refusal } from '../../protocol/index.ts';
import type { PublicationId } from '../publications/items.ts';
import type { WaitingPublications } from '../publications/waiting.ts';
import type { ScheduledMessages } from './rows.ts';

/** Cancels a scheduled publish. Throws a `not_found`, or a `conflict` if its delivery has begun. */
export type Cancel = (id: PublicationId) => Promise<void>;

export function createCancel(options: {
  readonly waiting: Pick<WaitingPublications, 'cancel'>;
  readonly scheduled: Pick<ScheduledMessages, 'remove'>;
}): Cancel {
  const { waiting, scheduled } = options;
  return async (id) => {
    const { messageId } = id;
    const found = await waiting.cancel(id);
    if (found === 'unknown') throw new Refusal('not_found', `There is no publication ${messageId}.`);
    if (found === 'begun') {
      throw Refusal.at('conflict', 'messageId', `the delivery of ${messageId} has begun`);
    }
    // The record alone decides. Without these rows nothing of the message is left, and no worker looks at it.
    await scheduled.remove({ ...id, ...found });
  };
}
