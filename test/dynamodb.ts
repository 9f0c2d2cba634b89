import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';
import type { TableSchema, TableSchemas } from './table-schemas.ts';

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

export async function startDynamoDB(schemas: TableSchemas): Promise<LocalDynamoDB> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${String(portOf(server))}`;
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });

  async function create(TableName: string, schema: TableSchema): Promise<string> {
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
        create(`sessions-${suffix}`, schemas.sessions),
        create(`state-${suffix}`, schemas.state),
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

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}
