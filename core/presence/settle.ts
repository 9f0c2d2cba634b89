import type { Clock } from '../clock.ts';
import type { Recipient } from '../sessions/items.ts';
import type { Subscriptions } from '../sessions/subscriptions/subscriptions.ts';
import { presenceHoldMs } from '../timing.ts';
import type { Announce } from './announce.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { PresenceQueue } from './queue.ts';
import type { PresenceStates, StateRow, WatchRow } from './states.ts';
import type { Subject } from './subjects.ts';

export interface SettleOptions {
  readonly states: Pick<PresenceStates, 'take' | 'release' | 'read'>;
  readonly openSessions: OpenSessions;
  readonly subscriptions: Pick<Subscriptions, 'row'>;
  readonly announce: Announce;
  readonly queue: PresenceQueue;
  /** Who is away for less was never away. */
  readonly graceMs: number;
  readonly clock: Pick<Clock, 'now'>;
}

export interface Settled {
  readonly isPresent: boolean;
  readonly row: StateRow;
}

/** A subscription that has ended. Times are epoch milliseconds. */
export interface Ended {
  readonly subscribedAt: number;
  /** It ended in this second, or before. */
  readonly endedBy: number;
}

/**
 * Makes what watchers were told of a watched subject true. `watch` is the row of its watch, `ended` has the subscriptions
 * whose end leads to this. Resolves to `undefined` if another function does so now. That one then looks once more.
 */
export type Settle = (
  subject: Subject,
  watch: WatchRow,
  ended?: readonly Ended[],
) => Promise<Settled | undefined>;

/**
 * One function at a time announces a subject, so that announcements arrive in the order of what they tell. The sessions
 * are read after the subject is taken. So whatever changes them later finds it taken, and has its holder look again.
 * docs/decisions/0021 has the argument.
 */
export function createSettle(options: SettleOptions): Settle {
  const { states, openSessions, subscriptions, announce, queue, graceMs, clock } = options;

  /**
   * What all watchers know. `undefined`: they may know different things. Who begins to watch a user is answered what
   * others were told. Who begins to watch a topic is answered the subscriptions of that moment.
   */
  async function knownOf(
    { topic }: Subject,
    open: readonly Recipient[],
    row: StateRow,
    { watchedSince = 0, watchedAt = 0 }: WatchRow,
    ended: readonly Ended[],
  ): Promise<boolean | undefined> {
    const { toldAt = -1, isPresent } = row;
    const isFresh = toldAt >= watchedSince;
    if (topic === undefined) return isFresh ? isPresent : undefined;
    if (isFresh && toldAt > watchedAt) return isPresent;
    if (isFresh && isPresent !== true) return undefined;
    // Later watchers have found a subscription that was there before, and earlier ones were told of it.
    const before = isFresh ? toldAt : watchedSince;
    const rows = await Promise.all(open.map((session) => subscriptions.row(session, topic)));
    const isSeen =
      rows.some((each) => each?.subscribedAt !== undefined && each.subscribedAt < before) ||
      ended.some(({ subscribedAt, endedBy }) => subscribedAt < before && watchedAt <= endedBy);
    return isSeen ? true : undefined;
  }

  return async (subject, watch, ended = []) => {
    const isTopic = subject.topic !== undefined;
    const look = (delayMs: number) => queue.send({ kind: 'look', subject }, delayMs);
    const held = await states.take(subject);
    if (!held) {
      // Its holder may have been killed.
      await look(presenceHoldMs);
      return undefined;
    }
    let { before: row, version } = held;
    // The holder before was killed. Nobody knows whether it has told anything.
    let isUnsure = row.heldUntil !== undefined;
    for (;;) {
      const now = clock.now();
      const open = await openSessions(subject);
      const { watchedSince = 0, watchedAt } = isTopic ? watch : row;
      const known = await knownOf(
        subject,
        open,
        row,
        { watchedSince, ...(watchedAt && { watchedAt }) },
        ended,
      );
      const wasAway = row.absentSince !== undefined && row.absentSince >= watchedSince;
      const absentSince = (wasAway ? row.absentSince : undefined) ?? now;
      const mayBeKnown = known ?? isTopic;
      const isWaiting = open.length === 0 && mayBeKnown && now < absentSince + graceMs;
      const isPresent = open.length > 0 || isWaiting;
      // Nobody is told of a watched user's first state, because it is the answer of the watch.
      const isTold = known === undefined ? !isTopic || isWaiting : known === isPresent;
      if (isUnsure || !isTold) await announce(subject, isPresent, row.lastSeenAt);
      if (isWaiting) await look(absentSince + graceMs - now);

      const isOpinion = isUnsure || !(isTopic && known === undefined && isWaiting);
      const next = {
        ...(isOpinion && { toldAt: now, isPresent }),
        absentSince: isWaiting ? absentSince : undefined,
      };
      if (await states.release(subject, version, next)) return { isPresent, row };
      const latest = await states.read(subject);
      if (latest.heldUntil !== held.heldUntil || latest.version === undefined) return undefined;
      version = latest.version;
      row = { ...latest, ...next };
      isUnsure = false;
    }
  };
}
