import type { Logger } from '@aws-lambda-powertools/logger';
import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import type { Publish } from '../publish/publish.ts';
import type { Recipients } from '../sessions/recipients.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Subscriptions } from '../sessions/subscriptions/subscriptions.ts';
import { createAnnounce } from './announce.ts';
import type { OpenSessions } from './open-sessions.ts';
import { createProbes } from './probes.ts';
import { type Look, type PresenceQueue, readPresenceTask } from './queue.ts';
import { createSettle } from './settle.ts';
import type { PresenceStates } from './states.ts';
import { watchedOf, watchKey } from './subjects.ts';
import { createTakeChanges, isWatched } from './take-changes.ts';
import { createWatches } from './watch.ts';

export interface PresenceOptions {
  readonly states: PresenceStates;
  readonly openSessions: OpenSessions;
  readonly recipients: Recipients;
  readonly sessions: Sessions;
  readonly subscriptions: Subscriptions;
  readonly connections: Pick<ConnectionsClient, 'probe'>;
  readonly publish: Publish;
  readonly queue: PresenceQueue;
  readonly graceMs: number;
  readonly clock: Pick<Clock, 'now' | 'wait'>;
  readonly logger: Pick<Logger, 'error'>;
}

/** What is there with the setting `presence`. */
export function createPresence(options: PresenceOptions) {
  const { states, clock } = options;
  const announce = createAnnounce(options);
  const settle = createSettle({ ...options, announce });
  const probes = createProbes({ ...options, settle });
  const parts = { ...options, settle, probes };

  async function look({ subject }: Look): Promise<void> {
    const key = watchKey(subject.user.tenant, watchedOf(subject));
    const watch = (await states.readAll([key])).get(key.pk) ?? {};
    if (isWatched(watch, clock.now())) await settle(subject, watch);
  }

  return {
    watches: createWatches(parts),
    takeChanges: createTakeChanges(parts),

    /** Takes a message of the queue. It may come twice, late or early. */
    takeTask: async (body: string): Promise<void> => {
      const task = readPresenceTask(body);
      await (task.kind === 'look' ? look(task) : probes.take(task));
    },
  };
}
