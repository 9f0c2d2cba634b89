import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { readContext, readSettings, SettingsError } from '../../lib/settings/settings.ts';
import { createStack } from './stack-under-test.ts';

const cdkJson = z
  .object({ context: z.record(z.string(), z.unknown()) })
  .parse(JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8')));

describe('settings', () => {
  it.each([
    ['shards', 0, 'Setting shards is 0; allowed: a whole number from 1 to 256.'],
    ['shards', 2.5, 'Setting shards is 2.5; allowed: a whole number from 1 to 256.'],
    ['shards', 'many', 'Setting shards is "many"; allowed: a whole number from 1 to 256.'],
    ['scheduledPublishes', 'yes', 'Setting scheduledPublishes is "yes"; allowed: true or false.'],
    ['maxSessionsPerUser', 101, 'Setting maxSessionsPerUser is 101; allowed: a whole number from 1 to 100.'],
    ['presence', 'yes', 'Setting presence is "yes"; allowed: true or false.'],
    [
      'presenceGraceSeconds',
      901,
      'Setting presenceGraceSeconds is 901; allowed: a whole number from 0 to 900.',
    ],
    ['inlineLimit', 5001, 'Setting inlineLimit is 5001; allowed: a whole number from 1 to 5000.'],
    [
      'callbackEndpoint',
      'wss://ws.example.com',
      'Setting callbackEndpoint is "wss://ws.example.com"; allowed: empty, or an http(s) URL without query, in which {apiId} and {stage} are filled in.',
    ],
    [
      'callbackEndpoint',
      'https://{api}.example.com',
      'Setting callbackEndpoint is "https://{api}.example.com"; allowed: empty, or an http(s) URL without query, in which {apiId} and {stage} are filled in.',
    ],
    [
      'allowedOrigins',
      ['https://app.example.com/'],
      'Setting allowedOrigins is ["https://app.example.com/"]; allowed: origins such as https://app.example.com, as a list or separated by commas.',
    ],
    ['connectWith', 'cookie', 'Setting connectWith is "cookie"; allowed: token, ticket or either.'],
    [
      'tokenClaims',
      { user: 'uid' },
      'Setting tokenClaims is {"user":"uid"}; allowed: an object with the keys userId, userType, tenant, topics, send, watch, contentAs, of different claim names, none of them registered but sub.',
    ],
    [
      'maxTokenLifetimeSeconds',
      0,
      'Setting maxTokenLifetimeSeconds is 0; allowed: a whole number from 1 to 315360000.',
    ],
    [
      'claims',
      ['role', ''],
      'Setting claims is ["role",""]; allowed: names of claims, as a list or separated by commas.',
    ],
    [
      'textContentFor',
      ['a b'],
      'Setting textContentFor is ["a b"]; allowed: user types, as a list or separated by commas.',
    ],
    ['requireTenant', 'yes', 'Setting requireTenant is "yes"; allowed: true or false.'],
    [
      'tokenParameter',
      'access token',
      'Setting tokenParameter is "access token"; allowed: a name of up to 64 letters, digits, hyphens and underscores.',
    ],
    [
      'webSocketThrottle',
      { rateLimit: 100 },
      'Setting webSocketThrottle is {"rateLimit":100}; allowed: an object {"rateLimit","burstLimit"} of whole numbers of at least 1.',
    ],
    [
      'httpThrottle',
      'none',
      'Setting httpThrottle is "none"; allowed: an object {"rateLimit","burstLimit"} of whole numbers of at least 1.',
    ],
    [
      'userRate',
      { rateLimit: 1, burstLimit: 4 },
      'Setting userRate is {"rateLimit":1,"burstLimit":4}; allowed: an object {"rateLimit","burstLimit"} of whole numbers: a rate of at least 1, and a burst of at least 5.',
    ],
    [
      'connectionRate',
      { rateLimit: 0, burstLimit: 40 },
      'Setting connectionRate is {"rateLimit":0,"burstLimit":40}; allowed: an object {"rateLimit","burstLimit"} of whole numbers: a rate of at least 1, and a burst of at least 5.',
    ],
    [
      'reservedConcurrency',
      { publisher: 5 },
      'Setting reservedConcurrency is {"publisher":5}; allowed: an object of whole numbers of at least 1, by the name of a function: authorize, tickets, connect, disconnect, message, publish, api, fan-out, schedule, close-sessions, lifecycle, presence.',
    ],
    ['logLevel', 'LOUD', 'Setting logLevel is "LOUD"; allowed: DEBUG, INFO, WARN or ERROR.'],
    ['deletionProtection', 'yes', 'Setting deletionProtection is "yes"; allowed: true or false.'],
    ['removalPolicy', 'snapshot', 'Setting removalPolicy is "snapshot"; allowed: retain or destroy.'],
  ])('%s may not be %j', (name, value, message) => {
    expect(() => readSettings({ [name]: value })).toThrow(new SettingsError(message));
  });

  it.each([
    [{ Orders: 'a b' }],
    [{ 'Or/ders': 'acme' }],
    [{ '': 'acme' }],
    [{ Orders: 1 }],
    [['Orders']],
    ['acme'],
  ])('refuse %j as the tenants of services', (serviceTenants) => {
    expect(() => readSettings({ serviceTenants })).toThrow(
      `Setting serviceTenants is ${JSON.stringify(serviceTenants)}; allowed: an object of up to 2 KB from names of IAM ` +
        'roles and users to a tenant, or to "*" for every tenant.',
    );
  });

  it('name tenants of services in at most 2 KB', () => {
    const tenants = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`role-${index}`.padEnd(40, 'x'), 'acme']),
      );
    expect(Object.keys(readSettings({ serviceTenants: tenants(40) }).serviceTenants)).toHaveLength(40);
    expect(() => readSettings({ serviceTenants: tenants(50) })).toThrow('an object of up to 2 KB');
  });

  it('keep logs for a period that CloudWatch Logs knows', () => {
    expect(() => readSettings({ logRetentionDays: 31 })).toThrow(
      /^Setting logRetentionDays is 31; allowed: one of 1, 3, 5, 7, 14, 30, /,
    );
  });

  it('that do not exist are refused by name, with a list of the settings', () => {
    expect(() => readSettings({ shard: 4 })).toThrow(
      'Unknown setting shard; the settings are listeners, shards, inlineLimit, fanOutRate, fanOutWorkers, maxSessionsPerUser, presence, presenceGraceSeconds, durableTopics, scheduledPublishes, callbackEndpoint, ' +
        'allowedOrigins, tokenIssuer, tokenClaims, claims, textContentFor, maxTokenLifetimeSeconds, requireTenant, tokenParameter, ' +
        'connectWith, serviceTenants, webSocketThrottle, httpThrottle, reservedConcurrency, connectionRate, userRate, ' +
        'logLevel, logRetentionDays, removalPolicy, deletionProtection, ' +
        'disableExecuteApiEndpoint.',
    );
  });

  it('that are wrong are all reported at once, one per line', () => {
    expect(() => readSettings({ shards: 0, logLevel: 'LOUD' })).toThrow(
      /^Setting shards is 0.*\nSetting logLevel is "LOUD".*$/,
    );
  });

  it('are refused by the construct as well as by the app', () => {
    expect(() => createStack({ shards: 1000 })).toThrow(SettingsError);
  });
});

describe('settings from the command line', () => {
  it('are text, and are read as the value that the text spells', () => {
    const settings = readSettings({
      shards: '16',
      allowedOrigins: 'https://a.example, http://localhost:3000',
      tokenIssuer: 'secret',
      tokenClaims: '{"userType":"role"}',
      claims: 'role, team',
      textContentFor: 'member, admin',
      maxTokenLifetimeSeconds: '3600',
      requireTenant: 'true',
      scheduledPublishes: 'true',
      serviceTenants: '{"Orders":"acme","Admin":"*"}',
      webSocketThrottle: '{"rateLimit":100,"burstLimit":50}',
      logRetentionDays: '7',
      deletionProtection: 'true',
    });
    expect(settings).toMatchObject({
      shards: 16,
      allowedOrigins: ['https://a.example', 'http://localhost:3000'],
      tokenIssuer: ['secret'],
      tokenClaims: {
        userId: 'sub',
        userType: 'role',
        tenant: 'tenant',
        topics: 'topics',
        send: 'send',
        watch: 'watch',
        contentAs: 'contentAs',
      },
      claims: ['role', 'team'],
      textContentFor: ['member', 'admin'],
      maxTokenLifetimeSeconds: 3600,
      requireTenant: true,
      scheduledPublishes: true,
      serviceTenants: { Orders: 'acme', Admin: '*' },
      webSocketThrottle: { rateLimit: 100, burstLimit: 50 },
      logRetentionDays: 7,
      deletionProtection: true,
    });
  });

  it('may be empty text for a list', () => {
    expect(readSettings({ allowedOrigins: '' }).allowedOrigins).toEqual([]);
  });

  it('may be a list in JSON', () => {
    const origins = ['https://a.example', 'https://b.example'];
    expect(readSettings({ allowedOrigins: JSON.stringify(origins) }).allowedOrigins).toEqual(origins);
    expect(readSettings({ claims: ' ["role", "plan"]' }).claims).toEqual(['role', 'plan']);
  });

  it('may not be a list whose quotes the shell has removed', () => {
    expect(() => readSettings({ claims: '[role,plan]' })).toThrow(
      'Setting claims is "[role,plan]"; allowed: names of claims, as a list or separated by commas.',
    );
  });
});

describe('the setting examples', () => {
  it('is of the app alone, and is read from text', () => {
    expect(readContext(new App({ context: { examples: 'true' } })).examples).toBe(true);
    expect(() => readContext(new App({ context: { examples: 'some' } }))).toThrow(
      'Setting examples is "some"; allowed: true or false.',
    );
    expect(() => readSettings({ examples: true })).toThrow(
      'Unknown setting examples; the settings are listeners,',
    );
  });
});

describe('the setting listeners', () => {
  it('is one path or a list of them, from the working directory', () => {
    const file = path.resolve('examples/listeners.ts');
    expect(readSettings({ listeners: 'examples/listeners.ts' }).listeners).toEqual([file]);
    expect(readSettings({ listeners: [file, './examples/demo/listeners.ts'] }).listeners).toEqual([
      file,
      path.resolve('examples/demo/listeners.ts'),
    ]);
    expect(readSettings({}).listeners).toEqual([]);
  });
});

describe('the settings in cdk.json', () => {
  const settings = readContext(new App({ context: cdkJson.context }));

  it('are the defaults', () => {
    const own = { stackName: 'Switchboard', examples: false };
    expect(settings).toEqual({ ...readSettings({}), ...own });
  });

  it('are kept apart from the keys that CDK adds', () => {
    const context = { '@aws-cdk/core:flag': true, 'aws:cdk:x': 1, 'acknowledged-issue-numbers': [1] };
    const own = { stackName: 'Switchboard', examples: false };
    expect(readContext(new App({ context }))).toEqual({ ...readSettings({}), ...own });
  });
});

describe('the settings of the app alone', () => {
  const certificateArn =
    'arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000';
  const read = (context: Record<string, unknown>) => readContext(new App({ context }));

  it('name its domains, as objects or as text from the command line', () => {
    const domain = { domainName: 'ws.example.com', certificateArn, mappingKey: 'chat/v1' };
    expect(read({ webSocketDomain: domain }).webSocketDomain).toEqual(domain);
    expect(read({ httpDomain: JSON.stringify(domain) }).httpDomain).toEqual(domain);
  });

  it.each([
    'ws.example.com',
    { domainName: 'ws.example.com' },
    { domainName: 'WS.example.com', certificateArn },
    { domainName: 'https://ws.example.com', certificateArn },
    { domainName: 'localhost', certificateArn },
    { domainName: 'ws.example.com', certificateArn: 'arn:aws:iam::123456789012:server-certificate/x' },
    { domainName: 'ws.example.com', certificateArn, mappingKey: '' },
    { domainName: 'ws.example.com', certificateArn, mappingKey: '/chat' },
    { domainName: 'ws.example.com', certificateArn, mappingKey: 'a'.repeat(301) },
    { domainName: 'ws.example.com', certificateArn, zone: 'Z1' },
  ])('refuse the domain %j', (domain) => {
    expect(() => read({ webSocketDomain: domain })).toThrow(
      `Setting webSocketDomain is ${JSON.stringify(domain)}; allowed: an object {"domainName","certificateArn"} of a ` +
        'domain such as ws.example.com and the ARN of a certificate of ACM, with a "mappingKey" if the path has one.',
    );
  });

  it.each(['', '7up', 'chat_prod', 'a'.repeat(129)])('refuse the stack name %j', (stackName) => {
    expect(() => read({ stackName })).toThrow(
      `Setting stackName is ${JSON.stringify(stackName)}; allowed: a name of up to 128 letters, digits and hyphens that ` +
        'begins with a letter.',
    );
  });
});
