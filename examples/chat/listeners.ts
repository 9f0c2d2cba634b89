import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createListeners } from './create-listeners.ts';

/** The listeners of the chat, on the table that the construct has made. */
export default createListeners({
  db: DynamoDBDocumentClient.from(new DynamoDBClient({})),
  table: process.env['CHAT_TABLE'] ?? '',
  now: () => Date.now(),
});
