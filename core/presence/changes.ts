import * as z from 'zod/mini';
import { connectionLifetimeMs } from '../../protocol/index.ts';
import { userOf } from '../sessions/items.ts';
import type { Ended } from './settle.ts';
import type { Subject } from './subjects.ts';

/** The beginning or the end of a session, or of its subscription to a topic. */
export interface Change {
  readonly kind: 'began' | 'ended';
  readonly subject: Subject;
  readonly connectionId: string;
  /** When a session ended. Absent: it began, or this is about a topic. */
  readonly endedAt?: number;
  /** A subscription that ended. */
  readonly ended?: Ended;
}

const text = z.object({ S: z.string() });
const number = z.pipe(
  z.object({ N: z.string() }),
  z.transform(({ N }) => Number(N)),
);

/** A row of the sessions table in a record of the stream (DynamoDB Streams, AttributeValue). */
const row = z.object({
  pk: text,
  sk: text,
  connectedAt: number,
  tokenExpiresAt: number,
  endedAt: z.optional(number),
  // Of a subscription.
  userType: z.optional(text),
  userId: z.optional(text),
  subscribedAt: z.optional(number),
});

// Whole seconds, rounded down (API reference of DynamoDB Streams, StreamRecord).
const createdAt = z.optional(z.number());

/** The stream's filter leaves out all other records. */
const record = z.discriminatedUnion('eventName', [
  z.object({
    eventName: z.literal('INSERT'),
    dynamodb: z.object({ NewImage: row, ApproximateCreationDateTime: createdAt }),
  }),
  z.object({
    eventName: z.literal('REMOVE'),
    dynamodb: z.object({ OldImage: row, ApproximateCreationDateTime: createdAt }),
  }),
]);

/** The change behind a record of the table's stream. Throws if the record is of another kind. */
export function readChange(given: unknown, now: number): Change {
  const { eventName, dynamodb } = z.parse(record, given);
  if (eventName === 'INSERT') return { kind: 'began', ...subscriberOf(dynamodb.NewImage) };
  const { OldImage, ApproximateCreationDateTime: second = Math.floor(now / 1000) } = dynamodb;
  const ended = { kind: 'ended' as const, ...subscriberOf(OldImage) };
  const { connectedAt, tokenExpiresAt, subscribedAt } = OldImage;
  const endedBy = second * 1000 + 999;
  if (ended.subject.topic !== undefined)
    return { ...ended, ...(subscribedAt !== undefined && { ended: { subscribedAt, endedBy } }) };
  // A row that the TTL deletes ended long before.
  const endedAt = OldImage.endedAt ?? Math.min(now, endedBy);
  return { ...ended, endedAt: Math.min(endedAt, tokenExpiresAt, connectedAt + connectionLifetimeMs) };
}

function subscriberOf({ pk, sk, userType, userId }: z.output<typeof row>) {
  const connectionId = sk.S;
  if (!userType || !userId) return { connectionId, subject: { user: userOf(pk.S) } };
  const [, tenant = '', topic = ''] = pk.S.split('#');
  return { connectionId, subject: { user: { tenant, userType: userType.S, userId: userId.S }, topic } };
}
