import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, inject } from 'vitest';
import type { Clock } from '../../core/clock.ts';
import { type ListenerContext, topicRights } from '../../core/dispatch/listener.ts';
import type { FanOutJob } from '../../core/fan-out/queue.ts';
import { createPublish } from '../../core/publish/publish.ts';
import { createReply } from '../../core/publish/reply.ts';
import { createScheduling } from '../../core/schedule/scheduling.ts';
import type { NewToken } from '../../core/sessions/refresh.ts';
import { createSwitchboard } from '../../core/switchboard.ts';
import type { Session } from '../../protocol/index.ts';
import { type LocalDynamoDB, startDynamoDB } from '../dynamodb.ts';
import { withLaggingReplica } from './database-stand-ins.ts';
import { createRecordingConnections, type ConnectionsScript } from './recording-connections.ts';

export const startOfTime = Date.UTC(2026, 10, 20, 12);
export const minuteMs = 60_000;

/** The core on empty tables, with a clock that stands still until a test moves it. */
export type Core = Awaited<ReturnType<typeof createCore>>;

export interface CoreOptions extends ConnectionsScript {
  readonly shards?: number;
  readonly inlineLimit?: number;
  readonly durableTopics?: readonly string[];
  /** Reads that are not consistent see no write. */
  readonly hasLaggingReplica?: boolean;
  /** The error that the queue fails with. `undefined`: it works. */
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
  const { shards = 3, inlineLimit = 500, durableTopics = [] } = options;
  const { wait = () => Promise.resolve() } = options;
  const db = options.hasLaggingReplica ? withLaggingReplica(dynamodb.db) : dynamodb.db;
  const tables = await dynamodb.createTables();
  const clock = createTestClock(wait);
  const warnings: string[] = [];
  const logger = {
    warn(...entry: unknown[]) {
      warnings.push(JSON.stringify(entry));
    },
    error(...entry: unknown[]) {
      warnings.push(JSON.stringify(entry));
    },
  };
  const connections = createRecordingConnections(options);
  const jobs: FanOutJob[] = [];
  const queue = {
    async send(sent: readonly FanOutJob[]) {
      const fault = options.queueFault?.();
      if (fault) throw fault;
      jobs.push(...sent);
      return Promise.resolve();
    },
  };
  const resources = { db, tables, shards, connections, logger };
  const parts = {
    ...createSwitchboard(resources, clock),
    ...createScheduling(resources, clock),
    connections,
    clock,
    queue,
    inlineLimit,
    durableTopics,
  };
  return {
    ...parts,
    db,
    tables,
    warnings,
    jobs,
    publish: createPublish(parts),
    reply: createReply(parts),
  };
}

/** A clock that stands still until a test moves its `ms`. */
export type TestClock = Clock & { ms: number };

export function createTestClock(wait: Clock['wait'] = () => Promise.resolve()): TestClock {
  const clock = { ms: startOfTime, now: () => clock.ms, wait, newId: () => randomUUID(), random: () => 0 };
  return clock;
}

/** A deadline that no test reaches. */
export const later = startOfTime + 24 * 60 * minuteMs;

/** A session of `default/member/1`, opened now for an hour. A test may override any field. */
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

/** What a refresh takes from a new token: it allows every topic, unless a test says otherwise. */
export function newToken(expiresAt: number, topics: readonly string[] = ['*']): NewToken {
  return { expiresAt, rights: { topics, watch: [] }, claims: {} };
}

export function idsOf(found: readonly { readonly connectionId: string }[]): string[] {
  return found.map(({ connectionId }) => connectionId).sort();
}

/** What a listener gets besides the content, for one that answers only by its ack. */
export function contextOf(
  sender: Pick<ListenerContext<unknown>, 'from' | 'session'>,
  patterns: readonly string[] = [],
): Omit<ListenerContext<unknown>, 'content'> {
  const never = () => Promise.reject(new Error('This listener sends nothing.'));
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const sessions = { count: never };
  const topics = topicRights(patterns);
  return {
    ...sender,
    topics,
    watch: topics,
    presence: { of: never },
    sessions,
    reply: never,
    send: never,
    sendText: never,
    log,
  };
}
