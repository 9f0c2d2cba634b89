import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createPublications } from '../core/publications.ts';
import { createSessions } from '../core/sessions.ts';

// One client, so one pool of connections, per function environment.
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});

export function buildSessions(environment: { SESSIONS_TABLE: string; SHARDS: string }) {
  return createSessions({
    db,
    table: environment.SESSIONS_TABLE,
    shards: Number(environment.SHARDS),
    now: Date.now,
  });
}

export function buildPublications(environment: { MESSAGES_TABLE: string }) {
  return createPublications({ db, table: environment.MESSAGES_TABLE, now: Date.now });
}
