import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { localKeys, localRegion } from '../../publisher/signed-request.ts';
import type { Stack } from './stack.ts';

/** Runs a command on a table of the stack, as an operator would. */
export async function onTable(
  { url, cloud }: Pick<Stack, 'url' | 'cloud'>,
  name: 'Sessions' | 'State' | 'Chat',
  run: (db: DynamoDBDocumentClient, table: string) => Promise<unknown>,
): Promise<void> {
  const table = cloud.deployment
    .ofType('AWS::DynamoDB::Table')
    .find(({ logicalId }) => logicalId.includes(name));
  const client = new DynamoDBClient({ endpoint: url, region: localRegion, credentials: localKeys });
  const db = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  await run(db, cloud.deployment.physicalId(table?.logicalId ?? ''));
  client.destroy();
}
