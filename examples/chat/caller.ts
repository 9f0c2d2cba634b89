import { type ListenerContext, Refusal } from 'switchboard/listener';
import { limits, topicOf } from './limits.ts';
import type { Person } from './shapes.ts';

/** The user whose frame is handled. */
export interface Caller {
  readonly tenant: string;
  readonly me: Person;
  /** Whether the token allows the topic of a room. */
  readonly mayRead: (room: string) => boolean;
  readonly send: ListenerContext<unknown>['send'];
}

export function callerOf({ from, topics, send }: Omit<ListenerContext<unknown>, 'content'>): Caller {
  const { tenant, userType, userId, claims } = from;
  return {
    tenant,
    me: { user: `${userType}:${userId}`, name: (claims?.['name'] ?? userId).slice(0, limits.nameLength) },
    mayRead: (room) => topics.allows(topicOf(room)),
    send,
  };
}

/** The same answer for what does not exist and for what the user may not see. */
export function notFound(): Refusal {
  return Refusal.at('not_found', 'content.conversation', 'is no conversation of yours');
}
