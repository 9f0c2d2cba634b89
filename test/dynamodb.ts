import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';

/** The names of a pair of empty tables. */
export interface Tables {
  readonly sessions: string;
  readonly state: string;
}

/** A DynamoDB of its own on loopback, in memory. */
export interface LocalDynamoDB {
  readonly endpoint: string;
  readonly db: DynamoDBDocumentClient;
  createTables(): Promise<Tables>;
  close(): Promise<void>;
}

type Schema = Omit<CreateTableCommandInput, 'TableName' | 'BillingMode'>;

/** As lib/session-table.ts defines it; test/core/table-schemas.test.ts holds the two together. */
export const sessionsSchema = {
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  AttributeDefinitions: ['pk', 'sk', 'audience', 'member', 'connectionId'].map(stringAttribute),
  GlobalSecondaryIndexes: [
    {
      IndexName: 'byAudience',
      KeySchema: [
        { AttributeName: 'audience', KeyType: 'HASH' },
        { AttributeName: 'member', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['connectedAt', 'tokenExpiresAt'] },
    },
    {
      IndexName: 'byConnection',
      KeySchema: [{ AttributeName: 'connectionId', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['connectedAt', 'tokenExpiresAt'] },
    },
  ],
} satisfies Schema;

/** As lib/state-table.ts defines it. */
export const stateSchema = {
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  AttributeDefinitions: ['pk', 'sk'].map(stringAttribute),
} satisfies Schema;

export async function startDynamoDB(): Promise<LocalDynamoDB> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${String(portOf(server))}`;
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });

  async function create(TableName: string, schema: Schema): Promise<string> {
    await client.send(new CreateTableCommand({ TableName, BillingMode: 'PAY_PER_REQUEST', ...schema }));
    // dynalite makes a table active in a timer of 0 ms, so the first or second look finds it so.
    for (;;) {
      const { Table } = await client.send(new DescribeTableCommand({ TableName }));
      if (Table?.TableStatus === 'ACTIVE') return TableName;
    }
  }

  return {
    endpoint,
    db: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
    async createTables() {
      const suffix = randomUUID();
      const [sessions, state] = await Promise.all([
        create(`sessions-${suffix}`, sessionsSchema),
        create(`state-${suffix}`, stateSchema),
      ]);
      return { sessions, state };
    },
    async close() {
      client.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function stringAttribute(AttributeName: string): { AttributeName: string; AttributeType: 'S' } {
  return { AttributeName, AttributeType: 'S' };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}
