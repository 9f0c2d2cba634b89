import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';

/** The accounts that every message of a page is forwarded to, as `<type>:<id>`. */
export interface Waiters {
  add(tenant: string, waiter: string): Promise<void>;
  remove(tenant: string, waiter: string): Promise<void>;
  list(tenant: string): Promise<readonly string[]>;
}

/** The waiters in a DynamoDB table. */
export function waitersInTable(table = process.env['RAYIM_TABLE']): Waiters {
  const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
  return {
    async add(tenant, waiter) {
      await db.send(new PutCommand({ TableName: table, Item: { tenant, waiter } }));
    },
    async remove(tenant, waiter) {
      await db.send(new DeleteCommand({ TableName: table, Key: { tenant, waiter } }));
    },
    async list(tenant) {
      const { Items = [] } = await db.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'tenant = :tenant',
          ExpressionAttributeValues: { ':tenant': tenant },
          // A waiter who was just registered gets the next message.
          ConsistentRead: true,
          // One publish has at most 100 targets.
          Limit: 100,
        }),
      );
      return Items.map(({ waiter }) => String(waiter));
    },
  };
}
