import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { variables } from '../../lambdas/environment.ts';
import { createStack, resourcesOf } from './stack-under-test.ts';

const stack = createStack({ presence: true, presenceGraceSeconds: 7, reservedConcurrency: { presence: 3 } });
const [fn] = resourcesOf(stack, 'AWS::Lambda::Function').filter(
  ({ logicalId }) => logicalId === 'PresenceFunction',
);
const mappings = resourcesOf(stack, 'AWS::Lambda::EventSourceMapping');
const queue = '${PresenceQueue.Arn}';

describe('the setting presence', () => {
  it('off, makes no resource of its own', () => {
    const without = resourcesOf(createStack()).map(({ logicalId }) => logicalId);
    expect(without.filter((id) => id.startsWith('Presence'))).toEqual([]);
  });

  it('gives its function exactly its variables, and the executions that are kept for it', () => {
    const environment = z.object({ Variables: z.record(z.string(), z.string()) });
    const { Variables } = environment.parse(fn?.properties['Environment']);
    expect(Object.keys(Variables).sort()).toEqual([...variables.presence].sort());
    expect(JSON.parse(Variables['PRESENCE'] ?? '')).toEqual({
      queueUrl: '${PresenceQueue}',
      graceSeconds: 7,
    });
    expect(fn?.properties['ReservedConcurrentExecutions']).toBe(3);
  });

  it('brings it sessions and subscriptions that begin and end, and nothing of watches and revocations', () => {
    const changes = mappings.find(({ logicalId }) => logicalId === 'PresenceChanges')?.properties;
    const { Filters } = z
      .object({ Filters: z.array(z.object({ Pattern: z.string() })) })
      .parse(changes?.['FilterCriteria']);
    const kinds = { eventName: ['INSERT', 'REMOVE'] };
    expect(Filters.map(({ Pattern }) => JSON.parse(Pattern) as unknown)).toEqual([
      {
        ...kinds,
        dynamodb: {
          Keys: { pk: { S: [{ prefix: 'USER#' }] }, sk: { S: [{ 'anything-but': ['~revoked'] }] } },
        },
      },
      { ...kinds, dynamodb: { Keys: { pk: { S: [{ prefix: 'TOPIC#' }] } } } },
    ]);
    expect(changes).toMatchObject({
      EventSourceArn: '${SessionsTable.StreamArn}',
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: '${PresenceDeadLetters.Arn}' } },
    });
  });

  it('lets it work on its queue, ask for connections and send, and do nothing else', () => {
    const policies = resourcesOf(stack, 'AWS::IAM::Policy');
    const document = z.object({
      Statement: z.array(z.object({ Action: z.union([z.string(), z.array(z.string())]) })),
    });
    const [policy] = policies.filter(({ logicalId }) => logicalId.startsWith('PresenceFunctionRole'));
    const actions = document
      .parse(policy?.properties['PolicyDocument'])
      .Statement.flatMap(({ Action }) => Action);
    expect([...new Set(actions)].sort()).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:BatchWriteItem',
      'dynamodb:DeleteItem',
      'dynamodb:DescribeStream',
      'dynamodb:GetItem',
      'dynamodb:GetRecords',
      'dynamodb:GetShardIterator',
      'dynamodb:ListStreams',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
      'execute-api:ManageConnections',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ]);
    expect(JSON.stringify(policy)).toContain(queue);
  });

  it('fires an alarm at the first dead letter', () => {
    const alarms = resourcesOf(stack, 'AWS::CloudWatch::Alarm').map(({ logicalId }) => logicalId);
    expect(alarms).toContain('PresenceDeadLetterAlarm');
  });
});
