import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';

const queue = (Properties: object) => ({ Type: 'AWS::SQS::Queue', Properties });
const assembly = writeAssembly({
  Resources: {
    Jobs: queue({ QueueName: 'jobs', VisibilityTimeout: 60, MaximumMessageSize: 2048 }),
    Dead: queue({ QueueName: 'dead' }),
    Fragile: queue({
      VisibilityTimeout: 0,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 1 },
    }),
    ...lambdaWithRole('Sender', 'exports.handler = async () => null', {
      statements: [allow(['sqs:SendMessage', 'sqs:GetQueueUrl'], { 'Fn::GetAtt': ['Jobs', 'Arn'] })],
    }),
  },
});
const platform = await startPlatform(assembly);
const client = new SQSClient(platform.client);
const QueueUrl = platform.deployment.physicalId('Jobs');

describe('SQS', () => {
  it('finds a queue by the URL that Ref gives', async () => {
    expect(QueueUrl).toBe(`${platform.client.endpoint}/000000000000/jobs`);
    expect((await client.send(new GetQueueUrlCommand({ QueueName: 'jobs' }))).QueueUrl).toBe(QueueUrl);
    expect((await client.send(new ListQueuesCommand({ QueueNamePrefix: 'jo' }))).QueueUrls).toEqual([
      QueueUrl,
    ]);
  });

  it('makes a queue with the attributes of the template', async () => {
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({
      VisibilityTimeout: '60',
      MaximumMessageSize: '2048',
      QueueArn: 'arn:aws:sqs:us-east-1:000000000000:jobs',
    });
    const dead = { QueueUrl: platform.deployment.physicalId('Dead'), AttributeNames: ['All' as const] };
    const defaults = await client.send(new GetQueueAttributesCommand(dead));
    expect(defaults.Attributes).toMatchObject({ VisibilityTimeout: '30' });
  });

  it('delivers a message with its attributes and the group of a fair queue', async () => {
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'test' } };
    const receiving = client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        WaitTimeSeconds: 10,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    const sent = await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'hello',
        MessageGroupId: 'tenant-1',
        MessageAttributes,
      }),
    );
    const [message] = (await receiving).Messages ?? [];
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: 'hello',
      MessageAttributes,
      Attributes: { MessageGroupId: 'tenant-1', ApproximateReceiveCount: '1' },
    });
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
  });

  it('refuses a message above the maximum size of the queue, and an unknown queue', async () => {
    const large = new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(2049) });
    await expect(client.send(large)).rejects.toThrow('Message must be shorter than 2048 bytes');
    const elsewhere = new SendMessageCommand({
      QueueUrl: QueueUrl.replace('jobs', 'other'),
      MessageBody: 'x',
    });
    await expect(client.send(elsewhere)).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });

  it('moves a message that was received too often to the dead-letter queue', async () => {
    const fragile = platform.deployment.physicalId('Fragile');
    await client.send(new SendMessageCommand({ QueueUrl: fragile, MessageBody: 'poison' }));
    const receive = async (url: string, WaitTimeSeconds: number) =>
      (await client.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds }))).Messages?.map(
        ({ Body }) => Body,
      );
    expect(await receive(fragile, 5)).toEqual(['poison']);
    const dead = receive(platform.deployment.physicalId('Dead'), 10);
    expect(await receive(fragile, 0)).toBeUndefined();
    expect(await dead).toEqual(['poison']);
  });

  it('checks a batch against the action for one message, on that queue', async () => {
    const sender = new SQSClient(platform.clientOf('Sender'));
    const Entries = [{ Id: 'a', MessageBody: 'one' }];
    await expect(sender.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).resolves.toMatchObject({
      Successful: [{ Id: 'a' }],
    });
    await expect(sender.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringMatching(
        /sqs:ReceiveMessage on resource: arn:aws:sqs:us-east-1:000000000000:jobs /,
      ) as string,
    });
    const dead = { QueueUrl: platform.deployment.physicalId('Dead'), MessageBody: 'x' };
    await expect(sender.send(new SendMessageCommand(dead))).rejects.toThrow('sqs:SendMessage');
  });

  it('counts each 64 KB as a request, https://aws.amazon.com/sqs/pricing/', async () => {
    const requests = () => platform.meter.snapshot()['sqs.requests'] ?? 0;
    const url = platform.deployment.physicalId('Dead');
    const before = requests();
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'x' }));
    expect(requests() - before).toBe(1);
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'x'.repeat(100_000) }));
    expect(requests() - before).toBe(3);
  });
});
