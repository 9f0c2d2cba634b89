import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type FunctionName,
  readEndpoint,
  readEnvironment,
  readRegion,
  variables,
} from '../../lambdas/environment.ts';

const names = Object.keys(variables) as FunctionName[];
const tokens = {
  parameter: 'token',
  keySets: [{ jwksUrl: 'https://id.example/jwks', issuer: 'https://id.example', audience: ['app'] }],
  names: {
    ...{ userId: 'sub', userType: 'type', tenant: 'org' },
    ...{ topics: 'topics', send: 'send', watch: 'watch', contentAs: 'form' },
  },
  claims: ['role'],
  textContentFor: ['member'],
  maxLifetimeSeconds: 3600,
  requireTenant: true,
};

const lambda = 'arn:aws:lambda:us-east-1:123456789012:function:orders';
const targets = [
  { pattern: 'order-*', lambda, timeoutMs: 5000 },
  { pattern: 'crm', url: 'https://crm.example.com', secret: 'arn', timeoutMs: 100 },
];
const lifecycleTargets = [{ eventBus: 'arn' }, { lambda, timeoutMs: 5000 }];

/** A value of each variable as text, and as it is read. */
const values = {
  LOG_LEVEL: ['INFO', 'INFO'],
  SESSIONS_TABLE: ['sessions', 'sessions'],
  STATE_TABLE: ['state', 'state'],
  SHARDS: ['8', 8],
  CALLBACK_ENDPOINT: ['https://api.example.com/live', 'https://api.example.com/live'],
  INLINE_LIMIT: ['500', 500],
  FAN_OUT_QUEUE_URL: ['https://queue.example.com', 'https://queue.example.com'],
  FAN_OUT_RATE: ['62.5', 62.5],
  SCHEDULE_QUEUE_URL: ['https://queue.example.com', 'https://queue.example.com'],
  CHECK_QUEUE_URL: ['https://queue.example.com', 'https://queue.example.com'],
  MAX_SESSIONS_PER_USER: ['20', 20],
  DURABLE_TOPICS: ['orders.*,news', ['orders.*', 'news']],
  TOKENS: [JSON.stringify(tokens), tokens],
  ALLOWED_ORIGINS: ['', []],
  CONNECT_WITH: ['ticket', 'ticket'],
  SERVICE_TENANTS: ['{"Orders":"acme"}', { Orders: 'acme' }],
  CONNECTION_RATE: ['{"rateLimit":20,"burstLimit":40}', { rateLimit: 20, burstLimit: 40 }],
  USER_RATE: ['{"rateLimit":100,"burstLimit":200}', { rateLimit: 100, burstLimit: 200 }],
  RECORDS_ENDS: ['true', true],
  TARGETS: [JSON.stringify(targets), targets],
  LIFECYCLE_TARGETS: [JSON.stringify(lifecycleTargets), lifecycleTargets],
  PRESENCE: [
    '{"queueUrl":"https://queue.example.com","graceSeconds":10}',
    { queueUrl: 'https://queue.example.com', graceSeconds: 10 },
  ],
  LIFECYCLE_RETRIES_URL: ['https://queue.example.com', 'https://queue.example.com'],
  PUBLISH_URL: ['https://api.example.com/publish', 'https://api.example.com/publish'],
  CHANGE_SCOPE: ['c8a1', 'c8a1'],
  CHANGE_DEAD_LETTERS_URL: ['https://queue.example.com', 'https://queue.example.com'],
} as const;

afterEach(() => vi.unstubAllEnvs());

function stubAll(functionName: FunctionName): void {
  for (const variable of variables[functionName]) vi.stubEnv(variable, values[variable][0]);
}

describe.each(names)('the environment of %s', (functionName) => {
  it('is read as numbers, lists and objects', () => {
    stubAll(functionName);
    const expected = variables[functionName].map((variable) => [variable, values[variable][1]]);
    expect(readEnvironment(functionName)).toEqual(Object.fromEntries(expected));
  });

  it.each([...variables[functionName]])('without %s fails with an error that names it', (missing) => {
    stubAll(functionName);
    vi.stubEnv(missing, undefined);
    expect(() => readEnvironment(functionName)).toThrow(missing);
  });
});

describe('a variable with a wrong value', () => {
  it.each([
    ['SHARDS', ''],
    ['SHARDS', '1.5'],
    ['SHARDS', 'many'],
    ['FAN_OUT_RATE', '0'],
    ['FAN_OUT_RATE', '-1'],
    ['FAN_OUT_RATE', 'fast'],
  ])('%s=%j fails with an error that names it', (variable, value) => {
    stubAll('fan-out');
    vi.stubEnv(variable, value);
    expect(() => readEnvironment('fan-out')).toThrow(variable);
  });

  it.each([
    ['disconnect', 'RECORDS_ENDS', 'yes'],
    ['message', 'TARGETS', '[{"pattern":"x","timeoutMs":5000}]'],
    ['message', 'TARGETS', '[{"pattern":"x","url":"https://a.example","timeoutMs":5000}]'],
    ['lifecycle', 'LIFECYCLE_TARGETS', '[{"lambda":"arn"}]'],
  ] as const)('of %s: %s=%j fails with an error that names it', (functionName, variable, value) => {
    stubAll(functionName);
    vi.stubEnv(variable, value);
    expect(() => readEnvironment(functionName)).toThrow(variable);
  });

  it('of CONNECT_WITH fails with an error that names it', () => {
    stubAll('authorize');
    vi.stubEnv('CONNECT_WITH', 'cookie');
    expect(() => readEnvironment('authorize')).toThrow('CONNECT_WITH');
  });

  it('fails if names of claims are missing', () => {
    stubAll('authorize');
    vi.stubEnv('TOKENS', JSON.stringify({ ...tokens, names: { userId: 'sub' } }));
    expect(() => readEnvironment('authorize')).toThrow('TOKENS');
  });
});

it.each([
  ['true', true],
  ['false', false],
])('a flag that is %s is read as %s', (text, value) => {
  stubAll('disconnect');
  vi.stubEnv('RECORDS_ENDS', text);
  expect(readEnvironment('disconnect').RECORDS_ENDS).toBe(value);
});

it('the endpoint of AWS services is that of AWS, unless the laptop cloud sets another', () => {
  expect(readEndpoint()).toBeUndefined();
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:8080');
  expect(readEndpoint()).toBe('http://127.0.0.1:8080');
});

describe('the Region', () => {
  it('is what Lambda sets, and its absence is an error that names it', () => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    expect(readRegion()).toBe('eu-west-1');
    vi.stubEnv('AWS_REGION', undefined);
    expect(readRegion).toThrow('AWS_REGION');
  });
});
