import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, inject, vi } from 'vitest';
import { startDynamoDB, type Tables } from '../dynamodb.ts';
import { tokenSettings } from '../token-settings.ts';
import { type CallbackApi, startCallbackApi } from './callback-api.ts';

/** The parts around the functions of one test file. */
export interface Cloud {
  readonly dynamodbEndpoint: string;
  readonly tables: Tables;
  readonly callbackApi: CallbackApi;
  /** All that was written to stdout and stderr since the test began. */
  logged(): string;
}

/**
 * Starts a database and a callback API for the file, and creates empty tables for each test. It sets the environment of
 * the functions. Functions read it when they are loaded, so a test imports them in its `load`.
 */
export function useCloud(): { current: () => Cloud } {
  let cloud: Cloud | undefined;
  let stop: () => Promise<void>;
  let dynamodb: Awaited<ReturnType<typeof startDynamoDB>>;
  let callbackApi: CallbackApi;

  beforeAll(async () => {
    [dynamodb, callbackApi] = await Promise.all([startDynamoDB(inject('tableSchemas')), startCallbackApi()]);
    stop = async () => {
      await Promise.all([dynamodb.close(), callbackApi.close()]);
    };
  });
  afterAll(() => stop());

  beforeEach(async () => {
    callbackApi.calls.length = 0;
    callbackApi.statuses.clear();
    const tables = await dynamodb.createTables();
    const lines: string[] = [];
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((chunk) => {
        lines.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
        return true;
      });
    }
    const { endpoint } = dynamodb;
    cloud = { dynamodbEndpoint: endpoint, tables, callbackApi, logged: () => lines.join('') };
    setEnvironment(cloud);
    vi.resetModules();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  return {
    current() {
      if (!cloud) throw new Error('A cloud is there while a test runs.');
      return cloud;
    },
  };
}

function setEnvironment({ dynamodbEndpoint, tables, callbackApi }: Cloud): void {
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
    LOG_LEVEL: 'DEBUG',
    SESSIONS_TABLE: tables.sessions,
    STATE_TABLE: tables.state,
    SHARDS: '2',
    INLINE_LIMIT: '3',
    DURABLE_TOPICS: '',
    FAN_OUT_QUEUE_URL: 'http://127.0.0.1:9/none',
    FAN_OUT_RATE: '1000',
    SCHEDULE_QUEUE_URL: '',
    CHECK_QUEUE_URL: 'http://127.0.0.1:9/none',
    MAX_SESSIONS_PER_USER: '1000',
    FAN_OUT_ATTEMPTS: '5',
    CALLBACK_ENDPOINT: callbackApi.endpoint,
    TOKENS: JSON.stringify(tokenSettings),
    ALLOWED_ORIGINS: 'https://app.example.com',
    CONNECT_WITH: 'either',
    SERVICE_TENANTS: '{}',
    CONNECTION_RATE: '{"rateLimit":20,"burstLimit":40}',
    USER_RATE: '{"rateLimit":100,"burstLimit":200}',
    RECORDS_ENDS: 'false',
    TARGETS: '[]',
    PRESENCE: '',
  };
  for (const [variable, value] of Object.entries(environment)) vi.stubEnv(variable, value);
}

/** A JWT made by hand (RFC 7515), so that the tests do not use the code that verifies tokens. */
export function tokenOf(claims: object, secret: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
