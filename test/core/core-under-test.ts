import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, inject } from 'vitest';
import { createChannelLog } from '../../core/log/append.ts';
import { createListChannel } from '../../core/log/list.ts';
import { createChannelReading } from '../../core/log/read.ts';
import { createDeliver } from '../../core/delivery/deliver.ts';
import { createInbox } from '../../core/log/inbox.ts';
import { createPublications } from '../../core/publications/publications.ts';
import { createPublish, createReply } from '../../core/publish/publish.ts';
import type { FanOutJob } from '../../core/fan-out/queue.ts';
import { createRecipientReports } from '../../core/publications/report.ts';
import { createRecipients } from '../../core/sessions/recipients.ts';
import { createRecover } from '../../core/log/recover.ts';
import { createSessions } from '../../core/sessions/sessions.ts';
import { createShardProgress } from '../../core/publications/progress.ts';
import { createSubscriptions } from '../../core/sessions/subscriptions.ts';
import type { Session } from '../../protocol/index.ts';
import { type LocalDynamoDB, startDynamoDB } from '../dynamodb.ts';
import { createRecordingConnections, type ConnectionsScript } from './recording-connections.ts';

export const startOfTime = Date.UTC(2026, 10, 20, 12);
export const minuteMs = 60_000;

/** The core on empty tables, with a clock that stands still until a test moves it. */
export type Core = Awaited<ReturnType<typeof createCore>>;

export interface CoreOptions extends ConnectionsScript {
  readonly shards?: number;
  readonly inlineLimit?: number;
  readonly durableTopics?: readonly string[];
  /** What the queue fails with, if anything. */
  readonly queueFault?: () => Error | undefined;
  /** Called instead of waiting. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

/** One database per test file; each core has tables of its own in it. */
export function useDynamoDB(): { create: (options?: CoreOptions) => Promise<Core> } {
  let dynamodb: LocalDynamoDB;
  beforeAll(async () => {
    dynamodb = await startDynamoDB(inject('tableSchemas'));
  });
  afterAll(async () => {
    await dynamodb.close();
  });
  return { create: (options = {}) => createCore(dynamodb, options) };
}

async function createCore(dynamodb: LocalDynamoDB, options: CoreOptions) {
  const { shards = 3, inlineLimit = 500, wait = () => Promise.resolve() } = options;
  const { db } = dynamodb;
  const tables = await dynamodb.createTables();
  const clock = { ms: startOfTime };
  const now = () => clock.ms;
  const warnings: string[] = [];
  const subscriptions = createSubscriptions({ db, table: tables.sessions, shards });
  const sessions = createSessions({ db, table: tables.sessions, shards, subscriptions, now });
  const recipients = createRecipients({ db, table: tables.sessions, shards, now });
  const publications = createPublications({ db, table: tables.state, now });
  const reports = createRecipientReports({ db, table: tables.state, shards, now });
  const progress = createShardProgress({ db, table: tables.state, now });
  const connections = createRecordingConnections(options);
  const log = {
    warn(...entry: unknown[]) {
      warnings.push(JSON.stringify(entry));
    },
  };
  const jobs: FanOutJob[] = [];
  const queue = {
    async send(sent: readonly FanOutJob[]) {
      const fault = options.queueFault?.();
      if (fault) throw fault;
      jobs.push(...sent);
      return Promise.resolve();
    },
  };
  const messages = { db, table: tables.state, now };
  const channelLog = createChannelLog({ ...messages, newId: randomUUID });
  const channelReading = createChannelReading({ ...messages, log, wait });
  const inbox = createInbox(messages);
  const listChannel = createListChannel({ channelReading });
  const recover = createRecover({ channelLog, channelReading, connections, now });
  const deliver = createDeliver({ sessions, connections, log, now, wait, random: () => 0 });
  const parts = { recipients, publications, reports, queue, connections, deliver, newId: randomUUID, now };
  const { durableTopics = [] } = options;
  const publish = createPublish({
    ...parts,
    channelLog,
    durableTopics,
    inlineLimit,
    wait,
  });
  const reply = createReply({ connections, deliver, now, newId: randomUUID });
  const logs = { channelLog, channelReading, listChannel, recover, inbox };
  const stores = { sessions, subscriptions, progress, ...logs };
  return { db, tables, clock, warnings, jobs, log, wait, ...stores, ...parts, publish, reply };
}

/** A deadline that no test reaches. */
export const later = startOfTime + 24 * 60 * minuteMs;

/** A session of `default/member/1`, opened now for an hour, with what a test says otherwise. */
export function sessionOf(connectionId: string, differing: Partial<Session> = {}): Session {
  return {
    connectionId,
    tenant: 'default',
    userType: 'member',
    userId: '1',
    connectedAt: startOfTime,
    tokenExpiresAt: startOfTime + 60 * minuteMs,
    topics: [],
    sourceIp: '192.0.2.1',
    userAgent: 'test',
    ...differing,
  };
}

export function idsOf(found: readonly { readonly connectionId: string }[]): string[] {
  return found.map(({ connectionId }) => connectionId).sort();
}
