import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createChannelLog } from '../core/channel-log.ts';
import { createChannelReading } from '../core/channel-reading.ts';
import { createInbox } from '../core/inbox.ts';
import { createPublications } from '../core/publications.ts';
import { createRecipientReports } from '../core/recipient-report.ts';
import { createShardProgress } from '../core/shard-progress.ts';
import { log } from './log.ts';
import { db } from './stores.ts';

/** What is in the messages table. */
export function buildMessages(environment: { MESSAGES_TABLE: string; SHARDS: string }) {
  const table = { db, table: environment.MESSAGES_TABLE, shards: Number(environment.SHARDS), now: Date.now };
  return {
    channelLog: createChannelLog({ ...table, newId: randomUUID }),
    channelReading: createChannelReading({ ...table, log, wait }),
    inbox: createInbox(table),
    publications: createPublications(table),
    reports: createRecipientReports(table),
    progress: createShardProgress(table),
  };
}
