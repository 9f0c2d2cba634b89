import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import type { Stack } from '../stack.ts';
import { onTable } from '../tables.ts';

export async function setFaults({ url }: Stack, faults: Record<string, number>): Promise<void> {
  const response = await fetch(`${url}/_local/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  expect(response.status).toBe(200);
}

/** Makes the sessions of a user older than a handshake, because a 410 of a younger one is not believed. */
export async function growOld(stack: Stack, user: string): Promise<void> {
  const pk = `USER#default#member#${user}`;
  await onTable(stack, 'Sessions', async (db, TableName) => {
    const { Items = [] } = await db.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': pk },
      }),
    );
    for (const { sk } of Items) {
      const update = {
        UpdateExpression: 'SET connectedAt = connectedAt - :ms',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':ms': 70_000 },
      };
      await db.send(new UpdateCommand({ TableName, Key: { pk, sk: sk as string }, ...update }));
    }
  });
}

/** Delivers the probe now that waits for five minutes in the queue. */
export async function probeNow(
  stack: Stack,
  watched: { readonly kind: 'user' | 'topic'; readonly name: string },
): Promise<void> {
  let dueAt: unknown;
  await onTable(stack, 'State', async (db, TableName) => {
    const Key = { pk: `PRESENCE#default#${watched.kind}:${watched.name}`, sk: 'STATE' };
    dueAt = (await db.send(new GetCommand({ TableName, Key }))).Item?.['probesAt'];
  });
  expect(dueAt).toBeTypeOf('number');
  const { deployment } = stack.cloud;
  const queue = deployment
    .ofType('AWS::SQS::Queue')
    .find(({ logicalId }) => logicalId.includes('PresenceQueue'));
  const name = deployment.attribute(queue?.logicalId ?? '', 'QueueName');
  const sqs = new SQSClient({ endpoint: stack.url, region: localRegion, credentials: localKeys });
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: `${stack.url}/${deployment.accountId}/${name}`,
      MessageBody: JSON.stringify({ kind: 'probe', tenant: 'default', watched, dueAt }),
    }),
  );
  sqs.destroy();
}
