import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { localKeys, localRegion } from '../../publisher/signed-request.ts';
import type { Stack } from './stack.ts';

/** Sends a check of a session to the queue of checks. */
export async function sendCheck(stack: Stack, check: object): Promise<void> {
  const queue = stack.cloud.deployment
    .ofType('AWS::SQS::Queue')
    .find(({ logicalId }) => logicalId.includes('SessionChecksQueue'));
  const name = stack.cloud.deployment.attribute(queue?.logicalId ?? '', 'QueueName');
  const sqs = new SQSClient({ endpoint: stack.url, region: localRegion, credentials: localKeys });
  const QueueUrl = `${stack.url}/${stack.cloud.deployment.accountId}/${name}`;
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(check) }));
  sqs.destroy();
}
