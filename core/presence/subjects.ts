import type { Identity } from '../../protocol/index.ts';
import type { Watched } from '../sessions/subscriptions/watches.ts';

/** Whose presence watchers are told: a user, or a user among the subscribers of a topic. */
export interface Subject {
  readonly user: Identity;
  /** @default - whether the user is online at all */
  readonly topic?: string | undefined;
}

/** A row of the state table. */
export interface RowKey {
  readonly pk: string;
  readonly sk: string;
}

/** `<type>:<id>`. No name holds a colon. */
export function nameOf({ userType, userId }: Pick<Identity, 'userType' | 'userId'>): string {
  return `${userType}:${userId}`;
}

export function userNamed(tenant: string, name: string): Identity {
  const [userType = '', userId = ''] = name.split(':');
  return { tenant, userType, userId };
}

/** What a client watches to be told of the subject. */
export function watchedOf({ user, topic }: Subject): Watched {
  return topic === undefined ? { kind: 'user', name: nameOf(user) } : { kind: 'topic', name: topic };
}

/** The row that says until when a user or a topic is watched. */
export function watchKey(tenant: string, { kind, name }: Watched): RowKey {
  return { pk: `PRESENCE#${tenant}#${kind}:${name}`, sk: 'STATE' };
}

/**
 * The row that says what watchers were told of the subject. For a user it is the row of the watch too. Each user of a
 * topic has a partition of its own, because thousands may join at once.
 */
export function stateKey({ user, topic }: Subject): RowKey {
  const { pk, sk } = watchKey(user.tenant, watchedOf({ user, topic }));
  return topic === undefined ? { pk, sk } : { pk: `${pk}#${nameOf(user)}`, sk };
}
