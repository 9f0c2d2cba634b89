import {
  type Delivered,
  formatTarget,
  type Identity,
  maxDownlinkFrameBytes,
  maxDurableFrameBytes,
  messageFrame,
  type Position,
  type PublishRequest,
  Refusal,
} from '../../protocol/index.ts';
import type { Outgoing } from '../content-form.ts';
import type { Slot } from '../log/log.ts';
import { isWatch } from '../sessions/subscriptions/watches.ts';
import type { Durability } from './durability.ts';

/** A message that has been checked and is not stored yet. */
export interface Draft {
  readonly request: PublishRequest;
  readonly messageId: string;
  readonly from: Identity | undefined;
  /** Absent: it is in no log. */
  readonly durability: Durability | undefined;
  /** `text`: its content is JSON text, because the user who caused it writes so. */
  readonly form?: 'text' | undefined;
}

/** A message as receivers get it. `slot` is its place in a log, if it is durable. */
export interface Message extends Omit<Draft, 'form'>, Outgoing {
  readonly slot?: Slot | undefined;
}

export function messageOf(draft: Draft, slot?: Slot): Message {
  const form = draft.request.text === undefined ? draft.form : 'bare';
  return { ...draft, form, frame: frameOf(draft, slot), slot };
}

/** All receivers get the same fields. So `channel` is set only if all of them got it by the same channel. */
export function frameOf({ request, messageId, from, durability }: Draft, position?: Position): string {
  if (request.text !== undefined) return request.text;
  const { type, content, to } = request;
  const [target, ...others] = to;
  const isOfTopic = target?.kind === 'topic' && others.length === 0 && !isWatch(target.topic);
  const topic = isOfTopic ? formatTarget(target) : undefined;
  return messageFrame({
    type,
    content,
    messageId,
    channel: durability?.channel ?? topic,
    offset: position?.offset,
    epoch: position?.epoch,
    // Only these three: a listener's sender also has claims, which nobody else may see.
    from: from && { tenant: from.tenant, userType: from.userType, userId: from.userId },
  });
}

/** Checked before anything is stored. Uses the longest possible position, so the real frame is never larger. */
export function refuseTooLarge(draft: Draft): void {
  const position = draft.durability && { epoch: draft.messageId, offset: 999_999_999_999 };
  const bytes = Buffer.byteLength(frameOf(draft, position));
  const limit = draft.durability ? maxDurableFrameBytes : maxDownlinkFrameBytes;
  if (bytes <= limit) return;
  const kind = draft.durability ? 'durable frame' : 'frame';
  const field = draft.request.text === undefined ? 'content' : 'text';
  throw Refusal.at('too_large', field, `makes a ${kind} of ${bytes} bytes; the limit is ${limit}`);
}

export function deliveredOf(
  message: Pick<Message, 'messageId' | 'slot'>,
  { delivered, gone, failed }: Pick<Delivered, 'delivered' | 'gone' | 'failed'>,
): Delivered {
  const { messageId } = message;
  return { messageId, status: 'delivered', delivered, gone, failed, ...offsetOf(message) };
}

export function offsetOf({ slot }: Pick<Message, 'slot'>): { offset?: number } {
  return slot ? { offset: slot.offset } : {};
}
