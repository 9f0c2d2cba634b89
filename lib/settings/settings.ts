import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Token } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import * as z from 'zod/mini';
import { keyAlgorithms } from '../../core/auth/algorithms.ts';
import { name, topicPattern } from '../../protocol/index.ts';
import { functionNames } from '../functions/function-names.ts';
import { claimName, tokenClaims } from './token-claims.ts';
import { tokenIssuer } from './token-issuer.ts';

const domainForm =
  'an object {"domainName","certificateArn"} of a domain such as ws.example.com and the ARN of a certificate of ACM, ' +
  'with a "mappingKey" if the path has one';

const throttleForm = 'an object {"rateLimit","burstLimit"} of whole numbers of at least 1';
const rateForm =
  'an object {"rateLimit","burstLimit"} of whole numbers: a rate of at least 1, and a burst of at least 5';

/** The allowed values of each setting, as the error for any other value words them. */
const allowed: Readonly<Record<string, string>> = {
  listeners:
    'the path of a module that exists, or a list of them; relative ones begin at the working directory',
  shards: 'a whole number from 1 to 256',
  inlineLimit: 'a whole number from 1 to 5000',
  fanOutRate: 'a whole number from 1 to 1000000',
  fanOutWorkers: 'a whole number from 2 to 1000',
  maxSessionsPerUser: 'a whole number from 1 to 100',
  presence: 'true or false',
  presenceGraceSeconds: 'a whole number from 0 to 900',
  durableTopics: 'topic patterns such as orders.*, as a list or separated by commas',
  scheduledPublishes: 'true or false',
  callbackEndpoint: 'empty, or an http(s) URL without query, in which {apiId} and {stage} are filled in',
  allowedOrigins: 'origins such as https://app.example.com, as a list or separated by commas',
  tokenIssuer:
    'secret, or an object {"jwksUrl","issuer","audience"} with an https URL and, if you like, "algorithms" out of ' +
    `${keyAlgorithms.join(', ')}; or a list of them, each issuer once`,
  tokenClaims:
    'an object with the keys userId, userType, tenant, topics, send, watch, contentAs, of different claim names, none ' +
    'of them registered but sub',
  claims: 'names of claims, as a list or separated by commas',
  textContentFor: 'user types, as a list or separated by commas',
  maxTokenLifetimeSeconds: 'a whole number from 1 to 315360000',
  requireTenant: 'true or false',
  tokenParameter: 'a name of up to 64 letters, digits, hyphens and underscores',
  connectWith: 'token, ticket or either',
  serviceTenants:
    'an object of up to 2 KB from names of IAM roles and users to a tenant, or to "*" for every tenant',
  webSocketThrottle: throttleForm,
  httpThrottle: throttleForm,
  reservedConcurrency: `an object of whole numbers of at least 1, by the name of a function: ${functionNames.join(', ')}`,
  connectionRate: rateForm,
  userRate: rateForm,
  logLevel: 'DEBUG, INFO, WARN or ERROR',
  logRetentionDays: `one of ${periods().join(', ')} (9999 keeps them for ever)`,
  removalPolicy: 'retain or destroy',
  deletionProtection: 'true or false',
  disableExecuteApiEndpoint: 'true or false',
  webSocketDomain: domainForm,
  httpDomain: domainForm,
  stackName: 'a name of up to 128 letters, digits and hyphens that begins with a letter',
  examples: 'true or false',
};

const modulePath = z.pipe(
  z.string().check(z.refine(isFile)),
  z.transform((path) => resolve(path)),
);

/** The variables of a function are at most 4 KB together (Lambda quotas). */
const maxServiceTenantsLength = 2048;

const serviceTenants = z
  .record(z.string().check(z.refine(isCallerName)), z.union([z.literal('*'), name]))
  .check(z.refine((tenants) => JSON.stringify(tenants).length <= maxServiceTenantsLength));
const throttle = z.strictObject({ rateLimit: wholeNumber(1), burstLimit: wholeNumber(1) });

// A frame costs up to 5 units (core/limits/units.ts). A smaller burst would refuse it for ever.
const rate = z.strictObject({ rateLimit: wholeNumber(1), burstLimit: wholeNumber(5) });

const schema = z.strictObject({
  listeners: z._default(z.pipe(z.transform(oneOrMore), z.array(modulePath)), []),
  shards: z._default(fromText(wholeNumber(1, 256)), 8),
  // A publish up to this limit must end within the 29 s of an integration.
  inlineLimit: z._default(fromText(wholeNumber(1, 5000)), 500),
  fanOutRate: z._default(fromText(wholeNumber(1, 1_000_000)), 8000),
  // The bounds of an event source mapping's maximum concurrency.
  fanOutWorkers: z._default(fromText(wholeNumber(2, 1000)), 8),
  // A handshake reads all rows of its user, and a revocation marks them all within two seconds.
  maxSessionsPerUser: z._default(fromText(wholeNumber(1, 100)), 20),
  presence: z._default(fromText(z.boolean()), false),
  // SQS delays no message for longer.
  presenceGraceSeconds: z._default(fromText(wholeNumber(0, 900)), 10),
  durableTopics: z._default(z.pipe(z.transform(listFromText), z.array(topicPattern)), []),
  scheduledPublishes: z._default(fromText(z.boolean()), false),
  callbackEndpoint: z._default(z.string().check(z.refine(isEndpointOrEmpty)), ''),
  allowedOrigins: z._default(
    z.pipe(z.transform(listFromText), z.array(z.string().check(z.refine(isOrigin)))),
    [],
  ),
  tokenIssuer: z._default(fromText(tokenIssuer), ['secret']),
  tokenClaims: z._default(fromText(tokenClaims), z.parse(tokenClaims, {})),
  claims: z._default(z.pipe(z.transform(listFromText), z.array(claimName)), []),
  textContentFor: z._default(z.pipe(z.transform(listFromText), z.array(name)), []),
  maxTokenLifetimeSeconds: z._default(fromText(wholeNumber(1, 315_360_000)), 2_592_000),
  requireTenant: z._default(fromText(z.boolean()), false),
  tokenParameter: z._default(z.string().check(z.regex(/^[A-Za-z\d_-]{1,64}$/)), 'token'),
  connectWith: z._default(z.enum(['token', 'ticket', 'either']), 'either'),
  serviceTenants: z._default(fromText(serviceTenants), {}),
  webSocketThrottle: z._default(fromText(throttle), { rateLimit: 5000, burstLimit: 2500 }),
  httpThrottle: z._default(fromText(throttle), { rateLimit: 2000, burstLimit: 1000 }),
  reservedConcurrency: z._default(fromText(z.partialRecord(z.enum(functionNames), wholeNumber(1))), {}),
  connectionRate: z._default(fromText(rate), { rateLimit: 20, burstLimit: 40 }),
  userRate: z._default(fromText(rate), { rateLimit: 100, burstLimit: 200 }),
  logLevel: z._default(z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']), 'INFO'),
  logRetentionDays: z._default(fromText(z.enum(RetentionDays)), RetentionDays.ONE_MONTH),
  removalPolicy: z._default(z.enum(['retain', 'destroy']), 'retain'),
  deletionProtection: z._default(fromText(z.boolean()), false),
  disableExecuteApiEndpoint: z._default(fromText(z.boolean()), false),
});

const domain = fromText(
  z.strictObject({
    // Capitals would make one domain look like two.
    domainName: z.string().check(z.regex(/^(\*\.)?([a-z\d]([a-z\d-]*[a-z\d])?\.)+[a-z]{2,}$/)),
    certificateArn: z.string().check(z.regex(/^arn:[\w-]+:acm:[\w-]+:\d{12}:certificate\/\S+$/)),
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-mappings.html, "Restrictions"
    mappingKey: z.optional(
      z.string().check(z.regex(/^[\w$.+!*'()-]+(\/[\w$.+!*'()-]+)*$/), z.maxLength(300)),
    ),
  }),
);

const appSchema = z.extend(schema, {
  webSocketDomain: z.optional(domain),
  httpDomain: z.optional(domain),
  stackName: z._default(z.string().check(z.regex(/^[A-Za-z][A-Za-z\d-]{0,127}$/)), 'Switchboard'),
  examples: z._default(fromText(z.boolean()), false),
});

/** Every setting of the construct that is plain data, checked and with its default filled in. */
export type Settings = Readonly<z.output<typeof schema>>;

/** The settings of this repository's app: those of the construct, and its own. Its domains are data too. */
export type AppSettings = Readonly<z.output<typeof appSchema>>;

/** A custom domain by its name, with the certificate that it has in ACM. */
export interface DomainSetting {
  readonly domainName: string;
  readonly certificateArn: string;
  readonly mappingKey?: string | undefined;
}

/** One line per wrong setting: its name, the value given, the values allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(message: string) {
    super(message);
    // Node prints the stack of an error that an app does not catch. A trace through the CDK would bury the message.
    this.stack = `SettingsError: ${message}`;
  }
}

/** Checks the settings of the construct. */
export function readSettings(given: object): Settings {
  return check(schema, given);
}

/**
 * The settings in an app's context. CDK's own keys (`@aws-cdk/…:flag`, `aws:cdk:…`, cached look-ups) hold a colon. Text
 * is read as the value that it spells, because `cdk -c name=value` passes only text.
 */
export function readContext(app: Construct): AppSettings {
  const context = z.record(z.string(), z.unknown()).parse(app.node.getAllContext());
  const own = Object.entries(context).filter(([key]) => !key.includes(':') && key !== acknowledgedNotices);
  return check(appSchema, Object.fromEntries(own));
}

function check<Shape extends z.core.$ZodShape>(known: z.ZodMiniObject<Shape, z.core.$strict>, given: object) {
  const result = known.safeParse(given);
  if (result.success) return result.data;
  const values = new Map<string, unknown>(Object.entries(given));
  const lines = result.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? '');
    if (name === '' && issue.code === 'unrecognized_keys') {
      return `Unknown setting ${issue.keys.join(', ')}; the settings are ${Object.keys(known.shape).join(', ')}.`;
    }
    return `Setting ${name} is ${JSON.stringify(values.get(name))}; allowed: ${allowed[name] ?? issue.message}.`;
  });
  throw new SettingsError([...new Set(lines)].join('\n'));
}

/** Where `cdk acknowledge` keeps the notices that the user has read. */
const acknowledgedNotices = 'acknowledged-issue-numbers';

function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): z.ZodMiniNumber {
  return z.int().check(z.minimum(minimum), z.maximum(maximum));
}

function fromText<Schema extends z.ZodMiniType>(value: Schema) {
  return z.pipe(z.transform(parseJson), value);
}

/** Text that is not JSON stays as it is. The schema behind it accepts or refuses it. */
function parseJson(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}

function oneOrMore(given: unknown): unknown {
  return typeof given === 'string' ? [given] : given;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Text is a JSON list, or values with commas between them. A broken JSON list stays text, which the schema refuses. */
function listFromText(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  if (given.trimStart().startsWith('[')) return parseJson(given);
  return given
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

/**
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, "IAM name requirements". The name of a role
 * of the app itself is known after the deployment.
 */
function isCallerName(text: string): boolean {
  return Token.isUnresolved(text) || /^[\w+=,.@-]{1,64}$/.test(text);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function isEndpointOrEmpty(text: string): boolean {
  if (text === '') return true;
  const filled = text.replaceAll('{apiId}', 'api').replaceAll('{stage}', 'stage');
  return /^https?:\/\/[^{}?#\s]+$/.test(filled) && URL.canParse(filled);
}

/** CloudWatch Logs takes these periods and no others. */
function periods(): readonly (string | RetentionDays)[] {
  return Object.values(RetentionDays).filter((days) => typeof days === 'number');
}
