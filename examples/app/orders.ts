import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';

export interface Order {
  readonly orderId: string;
  readonly sku: string;
  readonly quantity: number;
}

/** The orders of users. */
export interface Orders {
  add(userId: string, order: Omit<Order, 'orderId'>): Promise<Order>;
  list(userId: string): Promise<readonly Order[]>;
  remove(userId: string, orderId: string): Promise<void>;
}

/** The orders in a DynamoDB table. */
export function ordersInTable(table = process.env['ORDERS_TABLE']): Orders {
  const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
  return {
    async add(userId, { sku, quantity }) {
      const order = { orderId: randomUUID(), sku, quantity };
      await db.send(new PutCommand({ TableName: table, Item: { userId, ...order } }));
      return order;
    },
    async list(userId) {
      const query = {
        KeyConditionExpression: 'userId = :userId',
        ExpressionAttributeValues: { ':userId': userId },
      };
      const { Items = [] } = await db.send(new QueryCommand({ TableName: table, ...query }));
      return Items.map(({ orderId, sku, quantity }) => ({
        orderId: String(orderId),
        sku: String(sku),
        quantity: Number(quantity),
      }));
    },
    async remove(userId, orderId) {
      await db.send(new DeleteCommand({ TableName: table, Key: { userId, orderId } }));
    },
  };
}
