import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../clock.ts';
import { createRecipients } from './recipients.ts';
import { createSessions } from './sessions.ts';
import { createSubscriptions } from './subscriptions/subscriptions.ts';

export interface SessionStoreOptions {
  readonly db: DynamoDBDocumentClient;
  /** The name of the sessions table. */
  readonly table: string;
  /** The number of partitions that hold a tenant's audience. */
  readonly shards: number;
  readonly clock: Pick<Clock, 'now' | 'newId'>;
}

/** The parts that use the sessions table. */
export function createSessionStore(options: SessionStoreOptions) {
  const subscriptions = createSubscriptions(options);
  return {
    sessions: createSessions({ ...options, subscriptions }),
    subscriptions,
    recipients: createRecipients(options),
  };
}
