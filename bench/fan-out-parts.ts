import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createChannelLog } from '../core/log/append.ts';
import { createDeliver } from '../core/delivery/deliver.ts';
import { createPacer } from '../core/delivery/pacer.ts';
import { createConnectionsClient } from '../core/connections/client.ts';
import { createPublications } from '../core/publications/publications.ts';
import { createRecipientReports } from '../core/publications/report.ts';
import { createRecipients } from '../core/sessions/recipients.ts';
import { createSessions } from '../core/sessions/sessions.ts';
import { createShardProgress } from '../core/publications/progress.ts';
import { createSubscriptions } from '../core/sessions/subscriptions.ts';

export interface Place {
  readonly database: string;
  readonly callbackApi: string;
  readonly tables: { readonly sessions: string; readonly state: string };
  readonly shards: number;
}

const keys = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

/** The core as the functions compose it, on the bench's database and callback API; paced where a rate is given. */
export function buildParts({ database, callbackApi, tables, shards }: Place, rate?: number) {
  const db = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: database, ...keys }), {
    marshallOptions: { removeUndefinedValues: true },
  });
  const now = Date.now;
  const inSessions = { db, table: tables.sessions, shards, now };
  const inMessages = { db, table: tables.state, shards, now };
  const subscriptions = createSubscriptions(inSessions);
  const sessions = createSessions({ ...inSessions, subscriptions });
  const retries = rate === undefined ? {} : { retries: 0 };
  const connections = createConnectionsClient({ endpoint: `${callbackApi}/live`, ...keys, ...retries });
  const pacer = rate === undefined ? {} : { pacer: createPacer({ rate, now, wait }) };
  // What fails shows in the report; a line for each page would drown the tables.
  const log = { warn: () => undefined };
  return {
    db,
    now,
    connections,
    sessions,
    channelLog: createChannelLog({ ...inMessages, newId: randomUUID }),
    recipients: createRecipients(inSessions),
    publications: createPublications(inMessages),
    reports: createRecipientReports(inMessages),
    progress: createShardProgress(inMessages),
    deliver: createDeliver({ sessions, connections, log, now, wait, random: Math.random, ...pacer }),
  };
}
