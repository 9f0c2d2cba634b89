import type { Logger } from '@aws-lambda-powertools/logger';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from './clock.ts';
import type { ConnectionsClient } from './connections/client.ts';
import { createDeliver } from './delivery/deliver.ts';
import { createPacer } from './delivery/pacer.ts';
import { createDebt, recoverRate } from './limits/debt.ts';
import { createLease } from './limits/lease.ts';
import { createInbox } from './log/inbox.ts';
import { createLogs } from './log/log.ts';
import { createRecover } from './log/recover.ts';
import { createOpenSessions } from './presence/open-sessions.ts';
import { createPresenceReader } from './presence/reader.ts';
import { createPresenceStates } from './presence/states.ts';
import { createShardProgress } from './publications/progress.ts';
import { createPublications } from './publications/publications.ts';
import { createRecipientReports } from './publications/report.ts';
import type { CheckQueue } from './sessions/check-queue.ts';
import { createCountSessions } from './sessions/count.ts';
import { createCloseSession, createCloseUser } from './sessions/close.ts';
import { createRefreshSession } from './sessions/refresh.ts';
import { createRevocations } from './sessions/revocations.ts';
import { createSeen } from './sessions/seen.ts';
import { createSessionStore } from './sessions/store.ts';
import { createWaitForIndex } from './sessions/wait-for-index.ts';

/** The tables and the API that a Switchboard works with. */
export interface Resources {
  readonly db: DynamoDBDocumentClient;
  /** The names of the two tables. */
  readonly tables: { readonly sessions: string; readonly state: string };
  /** The number of partitions that hold a tenant's audience. */
  readonly shards: number;
  readonly connections: ConnectionsClient;
  /** The rate of deliveries. The connections client must then make no retries. @default - as fast as they go */
  readonly postsPerSecond?: number;
  /** Gets the sessions whose connection could not be closed. @default - whoever closes them tries again */
  readonly checks?: CheckQueue;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
}

export type Switchboard = ReturnType<typeof createSwitchboard>;

/**
 * Composes the parts that functions, benches and tests share. Each entry makes its use case from them:
 * `createPublish({ ...switchboard, queue, inlineLimit, durableTopics })`.
 */
export function createSwitchboard(resources: Resources, clock: Clock) {
  const { db, tables, shards, connections, postsPerSecond, checks, logger } = resources;
  const inState = { db, table: tables.state, shards, clock, logger };
  const store = createSessionStore({ db, table: tables.sessions, shards, clock });
  const logs = createLogs(inState);
  const pacer = postsPerSecond === undefined ? undefined : createPacer(postsPerSecond, clock);
  const states = createPresenceStates(inState);
  const openSessions = createOpenSessions({ db, table: tables.sessions, clock });
  const closing = { ...store, connections, checks, clock, logger };
  return {
    clock,
    logger,
    connections,
    ...store,
    logs,
    inbox: createInbox(inState),
    publications: createPublications(inState),
    progress: createShardProgress(inState),
    reports: createRecipientReports(inState),
    revocations: createRevocations({ db, table: tables.sessions, clock }),
    deliver: createDeliver({ ...store, connections, pacer, logger, clock }),
    recover: createRecover({
      logs,
      connections,
      lease: createLease(inState),
      debt: createDebt(inState, recoverRate),
      clock,
    }),
    refreshSession: createRefreshSession({ db, table: tables.sessions, ...store }),
    seen: createSeen(inState),
    countSessions: createCountSessions(store.recipients),
    waitForIndex: createWaitForIndex({ ...store, logger, clock }),
    states,
    openSessions,
    presence: createPresenceReader({ ...store, states, openSessions, clock }),
    closeSession: createCloseSession(closing),
    closeUser: createCloseUser(closing),
  };
}
