import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { readContext, readSettings, SettingsError } from '../../lib/settings.ts';
import { createStack } from './stack-under-test.ts';

const cdkJson = z
  .object({ context: z.record(z.string(), z.unknown()) })
  .parse(JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8')));

describe('settings', () => {
  it.each([
    ['shards', 0, 'Setting shards is 0; allowed: a whole number from 1 to 256.'],
    ['shards', 2.5, 'Setting shards is 2.5; allowed: a whole number from 1 to 256.'],
    ['shards', 'many', 'Setting shards is "many"; allowed: a whole number from 1 to 256.'],
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
    [
      'tokenClaims',
      { user: 'uid' },
      'Setting tokenClaims is {"user":"uid"}; allowed: an object with the keys userId, userType, tenant, topics, of different claim names, none of them registered but sub.',
    ],
    [
      'webSocketThrottle',
      { rateLimit: 100 },
      'Setting webSocketThrottle is {"rateLimit":100}; allowed: an object {"rateLimit","burstLimit"} of whole numbers of at least 1.',
    ],
    ['logLevel', 'LOUD', 'Setting logLevel is "LOUD"; allowed: DEBUG, INFO, WARN or ERROR.'],
    ['removalPolicy', 'snapshot', 'Setting removalPolicy is "snapshot"; allowed: retain or destroy.'],
  ])('%s may not be %j', (name, value, message) => {
    expect(() => readSettings({ [name]: value })).toThrow(new SettingsError(message));
  });

  it('keep logs for a period that CloudWatch Logs knows', () => {
    expect(() => readSettings({ logRetentionDays: 31 })).toThrow(
      /^Setting logRetentionDays is 31; allowed: one of 1, 3, 5, 7, 14, 30, /,
    );
  });

  it('that do not exist are refused by name, with a list of the settings', () => {
    expect(() => readSettings({ shard: 4 })).toThrow(
      'Unknown setting shard; the settings are listeners, shards, inlineLimit, fanOutRate, fanOutWorkers, durableTopics, callbackEndpoint, ' +
        'allowedOrigins, tokenClaims, webSocketThrottle, logLevel, logRetentionDays, removalPolicy.',
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
      tokenClaims: '{"userType":"role"}',
      webSocketThrottle: '{"rateLimit":100,"burstLimit":50}',
      logRetentionDays: '7',
    });
    expect(settings).toMatchObject({
      shards: 16,
      allowedOrigins: ['https://a.example', 'http://localhost:3000'],
      tokenClaims: { userId: 'sub', userType: 'role', tenant: 'tenant', topics: 'topics' },
      webSocketThrottle: { rateLimit: 100, burstLimit: 50 },
      logRetentionDays: 7,
    });
  });

  it('may be empty text for a list', () => {
    expect(readSettings({ allowedOrigins: '' }).allowedOrigins).toEqual([]);
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

  it('are the defaults, except that the tables are deleted with the stack', () => {
    expect(settings).toEqual({ ...readSettings({}), removalPolicy: 'destroy', examples: false });
  });

  it('are kept apart from the keys that CDK adds', () => {
    const context = { '@aws-cdk/core:flag': true, 'aws:cdk:x': 1, 'acknowledged-issue-numbers': [1] };
    expect(readContext(new App({ context }))).toEqual({ ...readSettings({}), examples: false });
  });
});
