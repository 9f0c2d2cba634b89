import { readServiceTenants } from '../core/auth/service-tenants.ts';
import { readTokenSettings } from '../core/auth/settings.ts';
import type { ConnectWith } from '../core/auth/tickets.ts';
import { readRate } from '../core/limits/rate.ts';
import { readPresenceSettings } from '../core/presence/settings.ts';
import { readLifecycleTargets, readMessageTargets } from '../core/targets/settings.ts';

export type { TokenSettings } from '../core/auth/settings.ts';
export type { PresenceSettings } from '../core/presence/settings.ts';
export type {
  LifecycleTargetSettings,
  MessageTargetSettings,
  TargetSettings,
} from '../core/targets/settings.ts';

/*
 * The environment of every function. This module alone reads `process.env`. The stack's constructs satisfy
 * `FunctionEnvironments`, so a variable that one side lacks does not compile.
 */

/** How each variable is read. */
const readers = {
  LOG_LEVEL: text,
  SESSIONS_TABLE: text,
  STATE_TABLE: text,
  /** The number of partitions that hold a tenant's audience. */
  SHARDS: wholeNumber,
  /** The URL in front of `/@connections/{connectionId}`. */
  CALLBACK_ENDPOINT: text,
  /** The largest audience that a publish sends to itself. */
  INLINE_LIMIT: wholeNumber,
  FAN_OUT_QUEUE_URL: text,
  /** Where messages wait for their second. Empty: the stack schedules none. */
  SCHEDULE_QUEUE_URL: text,
  /** The queue of sessions to look at later. */
  CHECK_QUEUE_URL: text,
  /** A user's oldest session ends if there are more. */
  MAX_SESSIONS_PER_USER: wholeNumber,
  /** Posts per second of one worker. */
  FAN_OUT_RATE: positiveNumber,
  /** Patterns of the topics that are durable, separated by commas. */
  DURABLE_TOPICS: list,
  /** JSON `{"rateLimit","burstLimit"}`: the units of one connection. */
  CONNECTION_RATE: readRate,
  /** The same for all connections of a user together. */
  USER_RATE: readRate,
  /** JSON: how tokens are verified, and what their claims mean. */
  TOKENS: readTokenSettings,
  /** Origins that pages may connect from, separated by commas. Empty: all. */
  ALLOWED_ORIGINS: list,
  /** What opens connections: `token`, `ticket` or `either`. */
  CONNECT_WITH: connectWith,
  /** JSON: the tenant of each service, by the name of its role or user. */
  SERVICE_TENANTS: readServiceTenants,
  /** Whether a lifecycle target is told why sessions end: `true` or `false`. */
  RECORDS_ENDS: flag,
  /** JSON: the targets of message types. */
  TARGETS: readMessageTargets,
  /** JSON: the targets of sessions that begin and end. */
  LIFECYCLE_TARGETS: readLifecycleTargets,
  LIFECYCLE_RETRIES_URL: text,
  /** Where changes of data are published. */
  PUBLISH_URL: text,
  /** Tells the message ids of one PublishOnChange from those of others. */
  CHANGE_SCOPE: text,
  /** The queue of changes that are given up. */
  CHANGE_DEAD_LETTERS_URL: text,
  /** JSON `{"queueUrl","graceSeconds"}`. Empty: the stack lacks the setting `presence`. */
  PRESENCE: readPresenceSettings,
} as const;

const sessionStore = ['SESSIONS_TABLE', 'SHARDS'] as const;
const caller = [...sessionStore, 'STATE_TABLE', 'CALLBACK_ENDPOINT'] as const;
const rates = ['CONNECTION_RATE', 'USER_RATE'] as const;
const publisher = [
  ...caller,
  'INLINE_LIMIT',
  'FAN_OUT_QUEUE_URL',
  'DURABLE_TOPICS',
  'SCHEDULE_QUEUE_URL',
] as const;

/** The variables of each function. */
export const variables = {
  authorize: ['LOG_LEVEL', 'TOKENS', 'SESSIONS_TABLE', 'STATE_TABLE', 'ALLOWED_ORIGINS', 'CONNECT_WITH'],
  tickets: ['LOG_LEVEL', 'STATE_TABLE', 'USER_RATE'],
  connect: [
    'LOG_LEVEL',
    ...sessionStore,
    'STATE_TABLE',
    'CHECK_QUEUE_URL',
    'MAX_SESSIONS_PER_USER',
    'USER_RATE',
  ],
  disconnect: ['LOG_LEVEL', ...sessionStore, 'RECORDS_ENDS'],
  message: ['LOG_LEVEL', ...publisher, 'TOKENS', ...rates, 'TARGETS', 'PRESENCE'],
  publish: ['LOG_LEVEL', ...publisher, 'SERVICE_TENANTS'],
  api: ['LOG_LEVEL', ...caller, 'SERVICE_TENANTS', 'CHECK_QUEUE_URL'],
  'fan-out': ['LOG_LEVEL', ...caller, 'FAN_OUT_QUEUE_URL', 'FAN_OUT_RATE'],
  schedule: ['LOG_LEVEL', ...publisher],
  'close-sessions': ['LOG_LEVEL', ...sessionStore, 'CALLBACK_ENDPOINT', 'CHECK_QUEUE_URL'],
  lifecycle: ['LOG_LEVEL', 'LIFECYCLE_TARGETS', 'LIFECYCLE_RETRIES_URL'],
  change: ['LOG_LEVEL', 'PUBLISH_URL', 'CHANGE_SCOPE', 'CHANGE_DEAD_LETTERS_URL'],
  presence: ['LOG_LEVEL', ...publisher, 'PRESENCE'],
} as const;

export type FunctionName = keyof typeof variables;

type Variable = keyof typeof readers;

/** The variables as the stack sets them. */
export type FunctionEnvironments = {
  readonly [F in FunctionName]: Readonly<Record<(typeof variables)[F][number], string>>;
};

/** The variables as a function reads them. */
export type ReadEnvironment<F extends FunctionName> = {
  readonly [V in (typeof variables)[F][number]]: ReturnType<(typeof readers)[V]>;
};

/** Reads the environment of the function that runs. Throws an error that names the variable. */
export function readEnvironment<F extends FunctionName>(functionName: F): ReadEnvironment<F> {
  const names: readonly Variable[] = variables[functionName];
  const entries = names.map((name) => [name, read<unknown>(name, readers[name])] as const);
  return Object.fromEntries(entries) as ReadEnvironment<F>;
}

/** The Region that the function runs in. Lambda sets it. */
export function readRegion(): string {
  return read('AWS_REGION', text);
}

/** The endpoint of AWS services, as SDKs read it too. The laptop cloud sets it. `undefined`: that of AWS. */
export function readEndpoint(): string | undefined {
  return process.env['AWS_ENDPOINT_URL'];
}

function read<Value>(name: string, reader: (value: string) => Value): Value {
  const value = process.env[name];
  if (value === undefined) throw new Error(`This function needs the environment variable ${name}.`);
  try {
    return reader(value);
  } catch (cause) {
    throw new Error(`The environment variable ${name} has a wrong value.`, { cause });
  }
}

function text(value: string): string {
  return value;
}

function list(value: string): readonly string[] {
  return value.split(',').filter((item) => item !== '');
}

function connectWith(value: string): ConnectWith {
  if (value === 'token' || value === 'ticket' || value === 'either') return value;
  throw new Error('It must be token, ticket or either.');
}

function flag(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new Error('It must be true or false.');
  return value === 'true';
}

function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new Error('It must be a whole number.');
  return Number(value);
}

function positiveNumber(value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new Error('It must be a number above 0.');
  return number;
}
