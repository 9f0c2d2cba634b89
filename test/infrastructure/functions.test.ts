import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { variables, type FunctionName } from '../../lambdas/environment.ts';
import { commonNames } from './function-environment.ts';
import { createStack, resourcesOf, type TemplateResource } from './stack-under-test.ts';

const sessions = '${SessionsTable.Arn}';
const state = '${StateTable.Arn}';
/** Items of the state table whose partition key begins so. */
const ofTickets = `${state} TICKET#*`;
const ofSeen = `${state} SEEN#*`;
const ofRates = `${state} RATE#*`;
const query = [sessions, `${sessions}/index/byAudience`, `${sessions}/index/byConnection`];
const stageArn = 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/live';
const post = [`${stageArn}/POST/@connections/*`];
const postAndClose = [`${stageArn}/DELETE/@connections/*`, ...post];

const jobs = '${FanOutQueueJobs.Arn}';
const checks = '${SessionChecksQueue.Arn}';
const times = '${ScheduleQueueMessages.Arn}';
/** Rows of messages that wait for their time. */
const waiting = [`${state} DUE#*`, `${state} SCHEDULED#*`];

const publisher = {
  'dynamodb:Query': query,
  'dynamodb:GetItem': [state],
  'dynamodb:DeleteItem': [sessions],
  'dynamodb:BatchWriteItem': [state, sessions],
  'dynamodb:PutItem': [state],
  'dynamodb:UpdateItem': [state],
  'execute-api:ManageConnections': post,
  'sqs:SendMessage': [jobs],
};

/** All rights of a function, except to write its own log. */
const rights: Record<
  Exclude<FunctionName, 'lifecycle' | 'presence' | 'change'>,
  Record<string, readonly string[]>
> = {
  authorize: {
    'secretsmanager:GetSecretValue': ['${TokenSecret}'],
    'dynamodb:GetItem': [sessions],
    'dynamodb:DeleteItem': [ofTickets],
  },
  tickets: { 'dynamodb:PutItem': [ofTickets], 'dynamodb:UpdateItem': [ofRates] },
  connect: {
    'dynamodb:PutItem': [ofSeen, sessions],
    'dynamodb:Query': [sessions],
    'dynamodb:UpdateItem': [sessions, ofRates],
    'dynamodb:DeleteItem': [sessions],
    'sqs:SendMessage': [checks],
  },
  disconnect: { 'dynamodb:DeleteItem': [sessions], 'dynamodb:BatchWriteItem': [sessions] },
  message: {
    ...publisher,
    'execute-api:ManageConnections': postAndClose,
    'secretsmanager:GetSecretValue': ['${TokenSecret}'],
    'dynamodb:BatchWriteItem': [sessions],
    'dynamodb:Query': [...query, state],
    'dynamodb:GetItem': [state, sessions],
    'dynamodb:PutItem': [state, sessions],
    'dynamodb:UpdateItem': [state, sessions],
    'dynamodb:BatchGetItem': [state],
  },
  publish: publisher,
  api: {
    'dynamodb:Query': [...query, state],
    'dynamodb:GetItem': [state, sessions],
    'dynamodb:PutItem': [state],
    'dynamodb:BatchGetItem': [state, sessions],
    'dynamodb:UpdateItem': [sessions, `${state} PUBLICATION#*`],
    'dynamodb:DeleteItem': [sessions, ...waiting],
    'dynamodb:BatchWriteItem': [sessions],
    'execute-api:ManageConnections': postAndClose,
    'sqs:SendMessage': [checks],
  },
  schedule: {
    ...publisher,
    'dynamodb:Query': [...query, state],
    'dynamodb:BatchGetItem': [state],
    'sqs:SendMessage': [jobs, times],
    'sqs:ReceiveMessage': [times],
    'sqs:DeleteMessage': [times],
    'sqs:GetQueueAttributes': [times],
    'sqs:ChangeMessageVisibility': [times],
  },
  'fan-out': {
    ...publisher,
    'sqs:ReceiveMessage': [jobs],
    'sqs:DeleteMessage': [jobs],
    'sqs:GetQueueAttributes': [jobs],
    'sqs:ChangeMessageVisibility': [jobs],
  },
  'close-sessions': {
    'dynamodb:GetItem': [sessions],
    'dynamodb:UpdateItem': [sessions],
    'dynamodb:DeleteItem': [sessions],
    'dynamodb:BatchWriteItem': [sessions],
    'execute-api:ManageConnections': postAndClose,
    'sqs:SendMessage': [checks],
    'sqs:ReceiveMessage': [checks],
    'sqs:DeleteMessage': [checks],
    'sqs:GetQueueAttributes': [checks],
  },
};

const stack = createStack();
const functions = resourcesOf(stack, 'AWS::Lambda::Function');

describe('functions', () => {
  it('are these and no others', () => {
    expect(functions.map((fn) => fn.logicalId).sort()).toEqual(commonNames.map(logicalId).sort());
  });

  it.each(commonNames)('%s gets exactly its variables, all as text', (name) => {
    const { Variables } = environmentSchema.parse(find(name).properties['Environment']);
    expect(Object.keys(Variables).sort()).toEqual([...variables[name]].sort());
  });

  it.each(commonNames)('%s has the rights that it needs, and no others', (name) => {
    const logs = `\${${logicalId(name)}Logs.Arn}`;
    const allowed = sorted({
      ...rights[name],
      'logs:CreateLogStream': [logs],
      'logs:PutLogEvents': [logs],
    });
    expect(rightsOf(name)).toEqual(allowed);
  });

  it.each(commonNames)(
    '%s runs on arm64 and Node.js 24, and ends before API Gateway gives up on it',
    (name) => {
      const { properties } = find(name);
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
      });
      expect(properties['Timeout']).toBeLessThanOrEqual(29);
    },
  );

  it.each(commonNames)(
    '%s writes to its own log group, which keeps logs for the days that are set',
    (name) => {
      const groups = resourcesOf(createStack({ logRetentionDays: 7 }), 'AWS::Logs::LogGroup');
      const group = groups.find((resource) => resource.logicalId === `${logicalId(name)}Logs`);
      expect(find(name).properties['LoggingConfig']).toEqual({ LogGroup: `\${${logicalId(name)}Logs}` });
      expect(group?.properties['RetentionInDays']).toBe(7);
    },
  );

  it('read the settings from their environment', () => {
    const set = resourcesOf(
      createStack({
        shards: 4,
        inlineLimit: 50,
        logLevel: 'DEBUG',
        allowedOrigins: ['https://a.example', 'https://b.example'],
        durableTopics: ['orders.*', 'news'],
        maxSessionsPerUser: 3,
        connectionRate: { rateLimit: 5, burstLimit: 10 },
      }),
      'AWS::Lambda::Function',
    );
    expect(variablesOf(set, 'publish')).toMatchObject({
      SHARDS: '4',
      INLINE_LIMIT: '50',
      LOG_LEVEL: 'DEBUG',
    });
    expect(variablesOf(set, 'connect')).toMatchObject({ MAX_SESSIONS_PER_USER: '3' });
    expect(variablesOf(set, 'message')).toMatchObject({
      CONNECTION_RATE: '{"rateLimit":5,"burstLimit":10}',
      USER_RATE: '{"rateLimit":100,"burstLimit":200}',
    });
    for (const publisher of ['publish', 'message'])
      expect(variablesOf(set, publisher)).toMatchObject({ DURABLE_TOPICS: 'orders.*,news' });
    expect(variablesOf(set, 'authorize')).toMatchObject({
      ALLOWED_ORIGINS: 'https://a.example,https://b.example',
    });
  });
});

describe('a stack whose connections open with a token only', () => {
  const given = createStack({ connectWith: 'token' });
  const ofTokens = resourcesOf(given, 'AWS::Lambda::Function');

  it('has no function for tickets, no route and no right to tickets', () => {
    expect(ofTokens.map((fn) => fn.logicalId)).not.toContain('Tickets');
    expect(variablesOf(ofTokens, 'authorize')).toMatchObject({ CONNECT_WITH: 'token' });
    const routes = resourcesOf(given, 'AWS::ApiGatewayV2::Route').map(({ properties }) => properties);
    expect(routes.map(({ RouteKey }) => RouteKey)).not.toContain('POST /tickets');
    expect(JSON.stringify(resourcesOf(given, 'AWS::IAM::Policy'))).not.toContain('TICKET#');
  });
});

describe('the workers of the fan-out', () => {
  it.each([
    { settings: {}, rate: '1000', workers: 8 },
    { settings: { fanOutRate: 900, fanOutWorkers: 3 }, rate: '300', workers: 3 },
  ])('share the rate, and are at most $workers', ({ settings, rate, workers }) => {
    const given = createStack(settings);
    const worker = variablesOf(resourcesOf(given, 'AWS::Lambda::Function'), 'fan-out');
    expect(worker).toMatchObject({ FAN_OUT_RATE: rate });
    expect(mappingOf(given, 'FanOutQueueWorker')).toMatchObject({
      BatchSize: 1,
      ScalingConfig: { MaximumConcurrency: workers },
    });
  });
});

describe('a stack with scheduled publishes', () => {
  const given = createStack({ scheduledPublishes: true });

  it('has one function more, with the rights that it needs and no others', () => {
    const ids = resourcesOf(given, 'AWS::Lambda::Function').map((fn) => fn.logicalId);
    expect(ids.sort()).toEqual([...commonNames, 'schedule'].map(logicalId).sort());
    const logs = ['${ScheduleLogs.Arn}'];
    const own = { 'logs:CreateLogStream': logs, 'logs:PutLogEvents': logs };
    expect(rightsOf('schedule', given)).toEqual(sorted({ ...rights.schedule, ...own }));
    for (const publisher of ['publish', 'message'])
      expect(rightsOf(publisher, given)['sqs:SendMessage']).toEqual([jobs, times]);
  });

  it('runs it every minute', () => {
    const ticks = resourcesOf(given, 'AWS::Scheduler::Schedule').map(({ properties }) => properties);
    expect(ticks).toMatchObject([
      {
        ScheduleExpression: 'rate(1 minute)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: '${Schedule.Arn}', RoleArn: '${ScheduleQueueTickRole.Arn}' },
      },
    ]);
  });

  it('delivers at most 80 messages side by side, and keeps those that fail five times', () => {
    expect(mappingOf(given, 'ScheduleQueueWorker')).toMatchObject({
      BatchSize: 10,
      ScalingConfig: { MaximumConcurrency: 8 },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    const queue = resourcesOf(given, 'AWS::SQS::Queue').find(
      (each) => each.logicalId === 'ScheduleQueueMessages',
    );
    expect(queue?.properties['RedrivePolicy']).toEqual({
      deadLetterTargetArn: '${ScheduleQueueDeadLetters.Arn}',
      maxReceiveCount: 5,
    });
  });

  it('is not the default', () => {
    expect(resourcesOf(stack, 'AWS::Scheduler::Schedule')).toEqual([]);
    expect(variablesOf(functions, 'publish')).toMatchObject({ SCHEDULE_QUEUE_URL: '' });
    const named = variablesOf(resourcesOf(given, 'AWS::Lambda::Function'), 'publish');
    expect(named).toMatchObject({ SCHEDULE_QUEUE_URL: '${ScheduleQueueMessages}' });
  });
});

describe('the checks of sessions', () => {
  it('come in batches, within seconds, and each failure alone comes back', () => {
    expect(mappingOf(stack, 'SessionChecksWorker')).toMatchObject({
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 2,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });

  it('become dead letters, with an alarm, after five failures', () => {
    const queues = resourcesOf(stack, 'AWS::SQS::Queue');
    const queue = queues.find((resource) => resource.logicalId === 'SessionChecksQueue');
    expect(queue?.properties['RedrivePolicy']).toEqual({
      deadLetterTargetArn: '${SessionChecksDeadLetters.Arn}',
      maxReceiveCount: 5,
    });
    const alarms = resourcesOf(stack, 'AWS::CloudWatch::Alarm').map(({ properties }) => properties);
    expect(alarms).toContainEqual(
      expect.objectContaining({
        MetricName: 'ApproximateNumberOfMessagesVisible',
        Dimensions: [{ Name: 'QueueName', Value: '${SessionChecksDeadLetters.QueueName}' }],
      }),
    );
  });
});

function mappingOf(given: ReturnType<typeof createStack>, logicalId: string) {
  const mappings = resourcesOf(given, 'AWS::Lambda::EventSourceMapping');
  return mappings.find((mapping) => mapping.logicalId === logicalId)?.properties;
}

function logicalId(name: string): string {
  const words = name.split('-').map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  return words.join('');
}

function find(name: string, among: readonly TemplateResource[] = functions): TemplateResource {
  const found = among.find((fn) => fn.logicalId === logicalId(name));
  if (found === undefined) throw new Error(`There is no function ${name}.`);
  return found;
}

function variablesOf(among: readonly TemplateResource[], name: string): Record<string, string> {
  return environmentSchema.parse(find(name, among).properties['Environment']).Variables;
}

/** Action → resources, over every policy of the function's role. */
function rightsOf(name: string, given = stack): Record<string, string[]> {
  const role = find(name, resourcesOf(given, 'AWS::Lambda::Function')).properties['Role'];
  const roles = resourcesOf(given, 'AWS::IAM::Role');
  const own = roles.find(({ logicalId: id }) => role === `\${${id}.Arn}`);
  expect(own?.properties).not.toHaveProperty('ManagedPolicyArns');
  expect(own?.properties).not.toHaveProperty('Policies');

  const rightsByAction: Record<string, string[]> = {};
  for (const policy of resourcesOf(given, 'AWS::IAM::Policy')) {
    const { Roles, PolicyDocument } = policySchema.parse(policy.properties);
    if (!Roles.includes(`\${${own?.logicalId ?? ''}}`)) continue;
    for (const statement of PolicyDocument.Statement) {
      for (const action of [statement.Action].flat()) {
        const keys = statement.Condition?.['ForAllValues:StringLike']['dynamodb:LeadingKeys'];
        const resources = [statement.Resource].flat().map((arn) => (keys ? `${arn} ${keys.join(' ')}` : arn));
        (rightsByAction[action] ??= []).push(...resources);
      }
    }
  }
  return sorted(rightsByAction);
}

function sorted(rightsByAction: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(rightsByAction).map(([action, resources]) => [action, [...resources].sort()]),
  );
}

const environmentSchema = z.object({ Variables: z.record(z.string(), z.string()) });

const oneOrMore = z.union([z.string(), z.array(z.string())]);
const leadingKeys = z.strictObject({
  'ForAllValues:StringLike': z.strictObject({ 'dynamodb:LeadingKeys': z.array(z.string()) }),
});
const policySchema = z.object({
  Roles: z.array(z.string()),
  PolicyDocument: z.object({
    Statement: z.array(
      z.strictObject({
        Effect: z.literal('Allow'),
        Action: oneOrMore,
        Resource: oneOrMore,
        Condition: z.optional(leadingKeys),
      }),
    ),
  }),
});
