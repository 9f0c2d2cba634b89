import type { Logger } from '@aws-lambda-powertools/logger';
import type { Identity } from '../../protocol/index.ts';
import type { ListenerSession } from '../dispatch/listener.ts';
import type { Recipients } from './recipients.ts';

export interface WaitForIndexOptions {
  readonly recipients: Pick<Recipients, 'isIndexed'>;
  readonly log: Pick<Logger, 'warn'>;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

/** Resolves when publishes to the session's type, and to everyone, find the session. */
export type WaitForIndex = (identity: Identity, session: ListenerSession) => Promise<void>;

/** What is older has long been in every index; they lag by a fraction of a second. */
const youngMs = 10_000;
const pausesMs = [50, 100, 200, 400, 800];

/**
 * These publishes read an index, which may not have a session that has just opened. If its log were read before, a
 * message that is published in between would reach the session neither by the log nor live.
 */
export function createWaitForIndex({ recipients, log, now, wait }: WaitForIndexOptions): WaitForIndex {
  return async (identity, { connectionId, connectedAt }) => {
    if (now() - connectedAt > youngMs) return;
    for (const pauseMs of pausesMs) {
      if (await recipients.isIndexed(identity, connectionId)) return;
      await wait(pauseMs);
    }
    log.warn('session is not in the index yet', { connectionId });
  };
}
