import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { variables, type FunctionName } from '../../lambdas/environment.ts';
import { createStack, resourcesOf, type TemplateResource } from './stack-under-test.ts';

const sessions = '${SessionsTable.Arn}';
const state = '${StateTable.Arn}';
const query = [sessions, `${sessions}/index/byAudience`, `${sessions}/index/byConnection`];
const stageArn = 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/live';
const posts = `${stageArn}/POST/@connections/*`;
const postsAndCloses = [`${stageArn}/DELETE/@connections/*`, posts];

const jobs = '${FanOutQueueJobs.Arn}';

const publisher = {
  'dynamodb:Query': query,
  'dynamodb:GetItem': [state],
  'dynamodb:DeleteItem': [sessions],
  'dynamodb:BatchWriteItem': [state, sessions],
  'dynamodb:PutItem': [state],
  'dynamodb:UpdateItem': [state],
  'execute-api:ManageConnections': [posts],
  'sqs:SendMessage': [jobs],
};

/** All rights of a function, except to write its own log. */
const rights: Record<Exclude<FunctionName, 'lifecycle'>, Record<string, readonly string[]>> = {
  authorize: { 'secretsmanager:GetSecretValue': ['${TokenSecret}'] },
  connect: { 'dynamodb:PutItem': [sessions] },
  disconnect: { 'dynamodb:DeleteItem': [sessions], 'dynamodb:BatchWriteItem': [sessions] },
  message: {
    ...publisher,
    'secretsmanager:GetSecretValue': ['${TokenSecret}'],
    'dynamodb:BatchWriteItem': [sessions],
    'dynamodb:Query': [...query, state],
    'dynamodb:GetItem': [state, sessions],
    'execute-api:ManageConnections': postsAndCloses,
    'dynamodb:PutItem': [state, sessions],
    'dynamodb:UpdateItem': [state, sessions],
  },
  publish: publisher,
  api: {
    'dynamodb:Query': [...query, state],
    'dynamodb:GetItem': [state, sessions],
    'dynamodb:PutItem': [state],
    'dynamodb:BatchGetItem': [sessions],
    'dynamodb:DeleteItem': [sessions],
    'dynamodb:BatchWriteItem': [sessions],
    'execute-api:ManageConnections': postsAndCloses,
  },
  'fan-out': {
    ...publisher,
    'sqs:ReceiveMessage': [jobs],
    'sqs:DeleteMessage': [jobs],
    'sqs:GetQueueAttributes': [jobs],
    'sqs:ChangeMessageVisibility': [jobs],
  },
};

const names = ['authorize', 'connect', 'disconnect', 'message', 'publish', 'api', 'fan-out'] as const;
const stack = createStack();
const functions = resourcesOf(stack, 'AWS::Lambda::Function');

describe('functions', () => {
  it('are these and no others', () => {
    expect(functions.map((fn) => fn.logicalId).sort()).toEqual(names.map(logicalId).sort());
  });

  it.each(names)('%s gets exactly its variables, all as text', (name) => {
    const { Variables } = environmentSchema.parse(find(name).properties['Environment']);
    expect(Object.keys(Variables).sort()).toEqual([...variables[name]].sort());
  });

  it.each(names)('%s has the rights that it needs, and no others', (name) => {
    const logs = `\${${logicalId(name)}Logs.Arn}`;
    const allowed = sorted({
      ...rights[name],
      'logs:CreateLogStream': [logs],
      'logs:PutLogEvents': [logs],
    });
    expect(rightsOf(name)).toEqual(allowed);
  });

  it.each(names)('%s runs on arm64 and Node.js 24, and ends before API Gateway gives up on it', (name) => {
    const { properties } = find(name);
    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
    });
    expect(properties['Timeout']).toBeLessThanOrEqual(29);
  });

  it.each(names)('%s writes to its own log group, which keeps logs for the days that are set', (name) => {
    const groups = resourcesOf(createStack({ logRetentionDays: 7 }), 'AWS::Logs::LogGroup');
    const group = groups.find((resource) => resource.logicalId === `${logicalId(name)}Logs`);
    expect(find(name).properties['LoggingConfig']).toEqual({ LogGroup: `\${${logicalId(name)}Logs}` });
    expect(group?.properties['RetentionInDays']).toBe(7);
  });

  it('read the settings from their environment', () => {
    const set = resourcesOf(
      createStack({
        shards: 4,
        inlineLimit: 50,
        logLevel: 'DEBUG',
        allowedOrigins: ['https://a.example', 'https://b.example'],
        tokenClaims: { userType: 'role' },
        durableTopics: ['orders.*', 'news'],
      }),
      'AWS::Lambda::Function',
    );
    expect(variablesOf(set, 'publish')).toMatchObject({
      SHARDS: '4',
      INLINE_LIMIT: '50',
      LOG_LEVEL: 'DEBUG',
    });
    for (const publisher of ['publish', 'message'])
      expect(variablesOf(set, publisher)).toMatchObject({ DURABLE_TOPICS: 'orders.*,news' });
    expect(variablesOf(set, 'authorize')).toMatchObject({
      ALLOWED_ORIGINS: 'https://a.example,https://b.example',
      TOKEN_CLAIMS: '{"userId":"sub","userType":"role","tenant":"tenant","topics":"topics"}',
    });
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
    const mappings = resourcesOf(given, 'AWS::Lambda::EventSourceMapping').map(
      ({ properties }) => properties,
    );
    expect(mappings).toMatchObject([{ BatchSize: 1, ScalingConfig: { MaximumConcurrency: workers } }]);
  });
});

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
function rightsOf(name: string): Record<string, string[]> {
  const role = find(name).properties['Role'];
  const roles = resourcesOf(stack, 'AWS::IAM::Role');
  const own = roles.find(({ logicalId: id }) => role === `\${${id}.Arn}`);
  expect(own?.properties).not.toHaveProperty('ManagedPolicyArns');
  expect(own?.properties).not.toHaveProperty('Policies');

  const rightsByAction: Record<string, string[]> = {};
  for (const policy of resourcesOf(stack, 'AWS::IAM::Policy')) {
    const { Roles, PolicyDocument } = policySchema.parse(policy.properties);
    if (!Roles.includes(`\${${own?.logicalId ?? ''}}`)) continue;
    for (const statement of PolicyDocument.Statement) {
      for (const action of [statement.Action].flat()) {
        (rightsByAction[action] ??= []).push(...[statement.Resource].flat());
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
const policySchema = z.object({
  Roles: z.array(z.string()),
  PolicyDocument: z.object({
    Statement: z.array(
      z.strictObject({ Effect: z.literal('Allow'), Action: oneOrMore, Resource: oneOrMore }),
    ),
  }),
});
