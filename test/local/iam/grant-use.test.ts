import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../../../local/index.ts';
import { authorize } from '../../../local/iam/authorize.ts';
import { createGrantUse } from '../../../local/iam/grant-use.ts';
import { readPolicy } from '../../../local/iam/policy.ts';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';

const queueArn = 'arn:aws:sqs:us-east-1:000000000000:Jobs';

function worker(...statements: readonly object[]) {
  const use = createGrantUse();
  const principal = use.observed('Worker', {
    name: 'worker',
    arn: 'arn:aws:sts::000000000000:assumed-role/Role/worker',
    statements: readPolicy({ Statement: statements }, 'Policy'),
  });
  return { use, principal };
}

describe('calls that are denied', () => {
  it('are named if no statement allows them, each once', () => {
    const { use, principal } = worker(allow('sqs:*', '*'));
    for (const action of ['sqs:SendMessage', 's3:GetObject', 's3:GetObject'])
      authorize(principal, action, queueArn);
    expect(use.denied()).toEqual([{ function: 'Worker', action: 's3:GetObject', resource: queueArn }]);
  });

  it('are named if a statement denies them', () => {
    const { use, principal } = worker(allow('*', '*'), { ...allow('sqs:*', '*'), Effect: 'Deny' });
    authorize(principal, 'sqs:SendMessage', queueArn);
    expect(use.denied()).toMatchObject([{ action: 'sqs:SendMessage' }]);
  });
});

const clouds: Cloud[] = [];
afterAll(() => Promise.all(clouds.map((cloud) => cloud.close())));

/** A function that Lambda gives the messages of a queue, and that sends one when it is invoked. */
async function start() {
  const jobs = { 'Fn::GetAtt': ['Jobs', 'Arn'] };
  const code = `
    const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs');
    exports.handler = async ({ Records }) => {
      const command = new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: 'job' });
      if (!Records) await new SQSClient({}).send(command);
    };`;
  const assembly = writeAssembly({
    Resources: {
      ...lambdaWithRole('Worker', code, {
        properties: { Environment: { Variables: { QUEUE_URL: { Ref: 'Jobs' } } } },
        statements: [
          allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], jobs),
          allow(['sqs:Send*', 'sqs:PurgeQueue'], [jobs, 'arn:aws:sqs:*:*:other']),
          { Effect: 'Allow', NotAction: 'sqs:*', Resource: '*' },
        ],
      }),
      Jobs: { Type: 'AWS::SQS::Queue', Properties: {} },
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { EventSourceArn: jobs, FunctionName: { Ref: 'Worker' } },
      },
    },
  });
  const cloud = await startCloud({ assembly, port: 0 });
  clouds.push(cloud);
  return { cloud, client: { endpoint: cloud.url, region: localRegion, credentials: localKeys } };
}

describe('grants', () => {
  it('are counted by action and resource; the unused ones stay in the list', async () => {
    const { cloud, client } = await start();
    const used = () => cloud.grants().filter(({ calls }) => calls > 0);
    const ofMapping = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
    // Lambda reads the queue in the role of the function.
    expect(used().map(({ action }) => action)).toEqual(ofMapping);

    const lambda = new LambdaClient(client);
    const FunctionName = cloud.deployment.physicalId('Worker');
    expect((await lambda.send(new InvokeCommand({ FunctionName }))).FunctionError).toBeUndefined();
    lambda.destroy();
    expect(used().map(({ action }) => action)).toEqual([...ofMapping, 'sqs:Send*']);
    const jobs = cloud.deployment.attribute('Jobs', 'Arn');
    expect(cloud.grants().slice(3)).toEqual([
      { function: 'Worker', action: 'sqs:Send*', resource: jobs, calls: 1 },
      { function: 'Worker', action: 'sqs:Send*', resource: 'arn:aws:sqs:*:*:other', calls: 0 },
      { function: 'Worker', action: 'sqs:PurgeQueue', resource: jobs, calls: 0 },
      { function: 'Worker', action: 'sqs:PurgeQueue', resource: 'arn:aws:sqs:*:*:other', calls: 0 },
      { function: 'Worker', action: 'all but sqs:*', resource: '*', calls: 0 },
    ]);
    expect(cloud.deniedCalls()).toEqual([]);
  });

  it('of a function are not used by the developer', async () => {
    const { cloud, client } = await start();
    const before = cloud.grants();
    const sqs = new SQSClient(client);
    await sqs.send(new ReceiveMessageCommand({ QueueUrl: cloud.deployment.physicalId('Jobs') }));
    sqs.destroy();
    expect(cloud.grants()).toEqual(before);
  });
});
