import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { systemClock } from '../core/clock.ts';
import { createConnectionsClient } from '../core/connections/client.ts';
import { createSwitchboard } from '../core/switchboard.ts';

export interface Place {
  readonly database: string;
  readonly callbackApi: string;
  readonly tables: { readonly sessions: string; readonly state: string };
  readonly shards: number;
}

const keys = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

/** Builds a Switchboard on the bench's database and callback API. With a rate, the Switchboard is paced. */
export function buildParts({ database, callbackApi, tables, shards }: Place, postsPerSecond?: number) {
  const db = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: database, ...keys }), {
    marshallOptions: { removeUndefinedValues: true },
  });
  const paced = postsPerSecond === undefined ? {} : { retries: 0 };
  const connections = createConnectionsClient({ endpoint: `${callbackApi}/live`, ...keys, ...paced });
  // The report shows failures. A log line per page would hide the tables of results.
  const logger = { warn: () => undefined, error: () => undefined };
  const resources = { db, tables, shards, connections, logger };
  const rate = postsPerSecond === undefined ? {} : { postsPerSecond };
  return { db, ...createSwitchboard({ ...resources, ...rate }, systemClock) };
}
