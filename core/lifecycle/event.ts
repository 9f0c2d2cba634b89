import * as z from 'zod/mini';
import { userOf } from '../sessions/items.ts';
import type { TargetEvent } from '../targets/event.ts';
import { uuidOf } from '../uuid.ts';

/** The beginning or the end of a session. */
export interface LifecycleEvent extends TargetEvent {
  readonly kind: 'connected' | 'disconnected';
  /** The WebSocket close code. Only an end has one, and not a lost one. */
  readonly code?: number | undefined;
  /** Why the session ended. Only an end has one. */
  readonly reason?: string | undefined;
}

const text = z.object({ S: z.string() });
const number = z.pipe(
  z.object({ N: z.string() }),
  z.transform(({ N }) => Number(N)),
);

/** A session's row in a record of the stream (DynamoDB Streams, AttributeValue). */
const row = z.object({
  pk: text,
  sk: text,
  connectedAt: number,
  tokenExpiresAt: number,
  endCode: z.optional(number),
  endReason: z.optional(text),
});

/** A change of a session's row. The stream's filter leaves out all others. */
const change = z.discriminatedUnion('eventName', [
  z.object({ eventName: z.literal('INSERT'), dynamodb: z.object({ NewImage: row }) }),
  z.object({ eventName: z.literal('REMOVE'), dynamodb: z.object({ OldImage: row }) }),
]);

/** The event behind a record of the table's stream. Throws if the record is of another kind. */
export function readLifecycleEvent(record: unknown, sentAt: number): LifecycleEvent {
  const { eventName, dynamodb } = z.parse(change, record);
  if (eventName === 'INSERT') return eventOf('connected', dynamodb.NewImage, sentAt);
  const { OldImage } = dynamodb;
  return {
    ...eventOf('disconnected', OldImage, sentAt),
    code: OldImage.endCode,
    // A 410 and the TTL delete a row into which nobody wrote why the session ended.
    reason: OldImage.endReason?.S ?? 'lost',
  };
}

function eventOf(kind: LifecycleEvent['kind'], image: z.output<typeof row>, sentAt: number): LifecycleEvent {
  const { pk, sk, connectedAt, tokenExpiresAt } = image;
  return {
    kind,
    messageId: messageIdOf(kind, sk.S),
    from: userOf(pk.S),
    session: { connectionId: sk.S, connectedAt, tokenExpiresAt },
    sentAt,
  };
}

/** The same for every delivery of an event, also if a row was written twice: API Gateway gives no connection id twice. */
function messageIdOf(kind: LifecycleEvent['kind'], connectionId: string): string {
  return uuidOf(`${connectionId} ${kind}`);
}
