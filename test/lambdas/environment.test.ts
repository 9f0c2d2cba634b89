import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FunctionName, readEnvironment, readRegion, variables } from '../../lambdas/environment.ts';

const names = Object.keys(variables) as FunctionName[];
const claims = { userId: 'sub', userType: 'userType', tenant: 'tenant', topics: 'topics' };

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
  DURABLE_TOPICS: ['orders.*,news', ['orders.*', 'news']],
  TOKEN_SECRET_ARN: ['arn', 'arn'],
  TOKEN_CLAIMS: [JSON.stringify(claims), claims],
  ALLOWED_ORIGINS: ['', []],
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

  it('fails if claims are missing', () => {
    stubAll('authorize');
    vi.stubEnv('TOKEN_CLAIMS', '{"userId":"sub"}');
    expect(() => readEnvironment('authorize')).toThrow('TOKEN_CLAIMS');
  });
});

describe('the Region', () => {
  it('is what Lambda sets, and its absence is an error that names it', () => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    expect(readRegion()).toBe('eu-west-1');
    vi.stubEnv('AWS_REGION', undefined);
    expect(readRegion).toThrow('AWS_REGION');
  });
});
