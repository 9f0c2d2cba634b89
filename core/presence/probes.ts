import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import type { Recipient } from '../sessions/items.ts';
import type { Recipients } from '../sessions/recipients.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { type Watched, watchTopic } from '../sessions/subscriptions/watches.ts';
import { handshakeWindowMs, probeEveryMs, probesLostAfterMs } from '../timing.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { PresenceQueue, Probe } from './queue.ts';
import type { Settle } from './settle.ts';
import type { PresenceStates, StateRow } from './states.ts';
import { userNamed, watchKey } from './subjects.ts';

export interface ProbesOptions {
  readonly states: Pick<PresenceStates, 'readAll' | 'moveProbes'>;
  readonly openSessions: OpenSessions;
  readonly recipients: Pick<Recipients, 'shards' | 'ofTopic'>;
  readonly sessions: Pick<Sessions, 'removeGone'>;
  readonly connections: Pick<ConnectionsClient, 'probe'>;
  readonly queue: PresenceQueue;
  readonly settle: Settle;
  readonly clock: Pick<Clock, 'now'>;
}

export type Probes = ReturnType<typeof createProbes>;

/** The subscribers of a topic that one message looks for, and the pause before the next: 250 a second. */
const pageSize = 500;
const pagePauseMs = 2_000;
const sideBySide = 50;

/**
 * API Gateway may call no `$disconnect`. So the connections of who is watched are looked for every five minutes, by a
 * message that sends the next one. There are such messages only while somebody watches, and while the user is online.
 */
export function createProbes(options: ProbesOptions) {
  const { states, openSessions, recipients, sessions, connections, queue, settle, clock } = options;
  // A wrong endpoint answers 410 for every id. So a 410 counts only if the endpoint knows another connection.
  let isProven = false;

  async function rowOf(tenant: string, watched: Watched): Promise<StateRow> {
    const key = watchKey(tenant, watched);
    return (await states.readAll([key])).get(key.pk) ?? {};
  }

  /** Those of these that are gone. */
  async function goneOf(all: readonly Recipient[]): Promise<readonly Recipient[]> {
    const gone: Recipient[] = [];
    for (let at = 0; at < all.length; at += sideBySide) {
      await Promise.all(
        all.slice(at, at + sideBySide).map(async (recipient) => {
          const { outcome } = await connections.probe(recipient.connectionId);
          if (outcome === 'connected') isProven = true;
          if (outcome === 'gone') gone.push(recipient);
        }),
      );
    }
    return gone;
  }

  /** Asks for watchers. Without any, nobody is to be told. */
  async function prove(tenant: string, watched: Watched): Promise<void> {
    for (let shard = 0; shard < recipients.shards && !isProven; shard += 1)
      await goneOf(
        (await recipients.ofTopic({ tenant, topic: watchTopic(watched), shard }, { limit: 3 })).recipients,
      );
  }

  /** Removes the sessions that are gone. Resolves to the time until the next look at those that are too young to tell. */
  async function removeGone({ tenant, watched }: Probe, all: readonly Recipient[]): Promise<number> {
    const gone = await goneOf(all);
    if (gone.length > 0 && !isProven) await prove(tenant, watched);
    // A 410 may mean that `$connect` still runs.
    const old = gone.filter(({ connectedAt }) => connectedAt < clock.now() - handshakeWindowMs);
    if (isProven) await Promise.all(old.map((recipient) => sessions.removeGone(recipient)));
    return old.length < gone.length ? handshakeWindowMs : probeEveryMs;
  }

  async function probeUser(probe: Probe, row: StateRow) {
    const user = userNamed(probe.tenant, probe.watched.name);
    const delayMs = await removeGone(probe, await openSessions({ user }));
    // Also without a change: an expired session, and one whose close failed, are absent too.
    await settle({ user }, row);
    return { delayMs };
  }

  async function probeTopic(probe: Probe) {
    const { tenant, watched, page = { shard: 0, beganAt: clock.now() } } = probe;
    const found: Recipient[] = [];
    let { shard, after } = page;
    while (shard < recipients.shards && found.length < pageSize) {
      const limit = pageSize - found.length;
      const read = await recipients.ofTopic({ tenant, topic: watched.name, shard }, { after, limit });
      found.push(...read.recipients);
      after = read.next;
      if (after === undefined) shard += 1;
    }
    await removeGone(probe, found);
    if (shard < recipients.shards)
      return { delayMs: pagePauseMs, page: { shard, after, beganAt: page.beganAt } };
    return { delayMs: Math.max(pagePauseMs, page.beganAt + probeEveryMs - clock.now()) };
  }

  /** Sends a message, then makes it the one that counts. A message that does not count does nothing. */
  async function send(probe: Probe, delayMs: number, from: number | undefined): Promise<void> {
    await queue.send(probe, delayMs);
    await states.moveProbes(probe.tenant, probe.watched, from, probe.dueAt);
  }

  const probes = {
    /** Begins the probes of a user or a topic, if there are none. */
    async ensure(tenant: string, watched: Watched, { probesAt }: StateRow): Promise<void> {
      const now = clock.now();
      if (probesAt !== undefined && now < probesAt + probesLostAfterMs) return;
      const dueAt = now + probeEveryMs;
      await send({ kind: 'probe', tenant, watched, dueAt }, probeEveryMs, probesAt);
    },

    async take(probe: Probe): Promise<void> {
      const { tenant, watched, dueAt } = probe;
      const row = await rowOf(tenant, watched);
      if (row.probesAt !== dueAt) return;
      const isWanted = ({ watchedUntil = 0, isPresent = false }: StateRow) =>
        watchedUntil > clock.now() && (watched.kind === 'topic' || isPresent);
      if (!isWanted(row)) {
        await states.moveProbes(tenant, watched, dueAt, undefined);
        // Who came meanwhile found these probes, and began no others.
        const latest = await rowOf(tenant, watched);
        if (isWanted(latest)) await probes.ensure(tenant, watched, latest);
        return;
      }
      const { delayMs, ...next } =
        watched.kind === 'user' ? await probeUser(probe, row) : await probeTopic(probe);
      const nextAt = Math.max(clock.now() + delayMs, dueAt + 1);
      await send({ kind: 'probe', tenant, watched, dueAt: nextAt, ...next }, delayMs, dueAt);
    },
  };
  return probes;
}
