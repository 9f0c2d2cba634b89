import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createChannelLog } from '../core/log/append.ts';
import { createChannelReading } from '../core/log/read.ts';
import { createInbox } from '../core/log/inbox.ts';
import { createPublications } from '../core/publications/publications.ts';
import { createRecipientReports } from '../core/publications/report.ts';
import { createShardProgress } from '../core/publications/progress.ts';
import { log } from './log.ts';
import { db } from './stores.ts';

/** What is in the state table. */
export function buildState(environment: { STATE_TABLE: string; SHARDS: string }) {
  const table = { db, table: environment.STATE_TABLE, shards: Number(environment.SHARDS), now: Date.now };
  return {
    channelLog: createChannelLog({ ...table, newId: randomUUID }),
    channelReading: createChannelReading({ ...table, log, wait }),
    inbox: createInbox(table),
    publications: createPublications(table),
    reports: createRecipientReports(table),
    progress: createShardProgress(table),
  };
}
