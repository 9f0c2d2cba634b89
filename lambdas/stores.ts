import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createRecipients } from '../core/sessions/recipients.ts';
import { createSessions } from '../core/sessions/sessions.ts';
import { createSubscriptions } from '../core/sessions/subscriptions.ts';

// One client, so one pool of connections, per function environment.
export const db = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});

/** What is in the sessions table. */
export function buildSessions(environment: { SESSIONS_TABLE: string; SHARDS: string }) {
  const table = { db, table: environment.SESSIONS_TABLE, shards: Number(environment.SHARDS), now: Date.now };
  const subscriptions = createSubscriptions(table);
  return {
    sessions: createSessions({ ...table, subscriptions }),
    subscriptions,
    recipients: createRecipients(table),
  };
}
