import type { Logger } from '@aws-lambda-powertools/logger';
import type { Identity, Session } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { Recipients } from './recipients.ts';

export interface WaitForIndexOptions {
  readonly recipients: Pick<Recipients, 'isIndexed'>;
  readonly logger: Pick<Logger, 'warn'>;
  readonly clock: Pick<Clock, 'now' | 'wait'>;
}

/** Resolves when publishes to the session's type, and to everyone, find the session. */
export type WaitForIndex = (
  identity: Identity,
  session: Pick<Session, 'connectionId' | 'connectedAt'>,
) => Promise<void>;

/** Indexes lag by a fraction of a second. An older session is in all of them. */
const youngMs = 10_000;
const pausesMs = [50, 100, 200, 400, 800];

/**
 * Publishes to a type and to everyone read an index, which may lack a session that just opened. Suppose its log was
 * read, and a message is published before the index has the session. Then neither the log nor the publish sends it.
 */
export function createWaitForIndex({ recipients, logger, clock }: WaitForIndexOptions): WaitForIndex {
  return async (identity, { connectionId, connectedAt }) => {
    if (clock.now() - connectedAt > youngMs) return;
    for (const pauseMs of pausesMs) {
      if (await recipients.isIndexed(identity, connectionId)) return;
      await clock.wait(pauseMs);
    }
    logger.warn('session is not in the index yet', { connectionId });
  };
}
