import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { createDeliver } from '../../core/deliver.ts';
import { createPublications } from '../../core/publications.ts';
import { createPublish, createReply } from '../../core/publish.ts';
import { createSessions } from '../../core/sessions.ts';
import type { Session } from '../../protocol/index.ts';
import { type LocalDynamoDB, startDynamoDB } from '../dynamodb.ts';
import { createRecordingPoster, type PosterScript } from './recording-poster.ts';

export const startOfTime = Date.UTC(2026, 10, 20, 12);
export const minuteMs = 60_000;

/** The core on empty tables, with a clock that stands still until a test moves it. */
export type Core = Awaited<ReturnType<typeof createCore>>;

export interface CoreOptions extends PosterScript {
  readonly shards?: number;
  readonly inlineLimit?: number;
  /** Called instead of waiting. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

/** One database per test file; each core has tables of its own in it. */
export function useDynamoDB(): { create: (options?: CoreOptions) => Promise<Core> } {
  let dynamodb: LocalDynamoDB;
  beforeAll(async () => {
    dynamodb = await startDynamoDB();
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
  const sessions = createSessions({ db, table: tables.sessions, shards, now });
  const publications = createPublications({ db, table: tables.messages, now });
  const poster = createRecordingPoster(options);
  const log = {
    warn(...entry: unknown[]) {
      warnings.push(JSON.stringify(entry));
    },
  };
  const deliver = createDeliver({ sessions, poster, log, now });
  const newId = randomUUID;
  const publish = createPublish({ sessions, publications, deliver, inlineLimit, newId, wait });
  const reply = createReply({ deliver, newId });
  return { db, tables, clock, now, warnings, sessions, publications, poster, deliver, publish, reply };
}

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
