import type { Stack } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { readTokenSettings } from '../../core/auth/settings.ts';
import { SettingsError } from '../../lib/settings/settings.ts';
import type { SwitchboardProps } from '../../lib/settings/props.ts';
import { Switchboard } from '../../lib/switchboard.ts';
import { tokenSettings } from '../token-settings.ts';
import { createOwnStack, createStack, outputsOf, resourcesOf } from './stack-under-test.ts';

const verifiers = ['Authorize', 'Message'];
const secret = '${TokenSecret}';
const keySet = { jwksUrl: 'https://id.example/keys', issuer: 'https://id.example', audience: ['app'] };
const environment = z.object({ Variables: z.record(z.string(), z.string()) });
const statements = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.object({ Action: z.union([z.string(), z.array(z.string())]), Resource: z.unknown() }),
    ),
  }),
});

/** The functions that verify tokens, each with the settings that it reads. */
function settingsOf(stack: Stack) {
  return resourcesOf(stack, 'AWS::Lambda::Function').flatMap(({ logicalId, properties }) => {
    const { TOKENS } = environment.safeParse(properties['Environment']).data?.Variables ?? {};
    return TOKENS === undefined ? [] : [{ logicalId, settings: readTokenSettings(TOKENS) }];
  });
}

/** The resources that policies allow the action on, by the logical id of the policy. */
function grantsOf(stack: Stack, action: string) {
  const policies = resourcesOf(stack, 'AWS::IAM::Policy').flatMap(({ logicalId, properties }) => {
    const granted = statements
      .parse(properties)
      .PolicyDocument.Statement.filter(({ Action }) => [Action].flat().includes(action));
    return granted.map(({ Resource }): [string, unknown] => [logicalId, Resource]);
  });
  return Object.fromEntries(policies);
}

function createWithFunction(props: SwitchboardProps = {}) {
  const stack = createOwnStack();
  const verifyToken = new LambdaFunction(stack, 'Verify', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('exports.handler = async () => null'),
  });
  return { stack, switchboard: new Switchboard(stack, 'Switchboard', { ...props, verifyToken }) };
}

describe('tokens of the secret, by default', () => {
  const stack = createStack();

  it('are verified by two functions, which alone read the secret', () => {
    expect(settingsOf(stack)).toEqual(
      verifiers.map((logicalId) => ({
        logicalId,
        settings: { ...tokenSettings, secret },
      })),
    );
    expect(grantsOf(stack, 'secretsmanager:GetSecretValue')).toEqual({
      AuthorizeRoleDefaultPolicy: secret,
      MessageRoleDefaultPolicy: secret,
    });
    expect(grantsOf(stack, 'lambda:InvokeFunction')).toEqual({});
  });
});

describe('tokens of an issuer alone', () => {
  const stack = createStack({ tokenIssuer: { ...keySet, algorithms: ['RS256'] } });

  it('need no secret: there is none, no function may read one, and no output names it', () => {
    expect(resourcesOf(stack, 'AWS::SecretsManager::Secret')).toEqual([]);
    expect(grantsOf(stack, 'secretsmanager:GetSecretValue')).toEqual({});
    expect(outputsOf(stack)).not.toHaveProperty('TokenSecretArn');
    expect(stack.switchboard.tokenSecretArn).toBeUndefined();
    for (const { settings } of settingsOf(stack)) {
      expect(settings).toMatchObject({ keySets: [{ ...keySet, algorithms: ['RS256'] }] });
      expect(settings).not.toHaveProperty('secret');
    }
  });

  it('need one if the list has both', () => {
    const both = createStack({ tokenIssuer: ['secret', keySet] });
    for (const { settings } of settingsOf(both))
      expect(settings).toMatchObject({ secret, keySets: [keySet] });
    expect(Object.keys(grantsOf(both, 'secretsmanager:GetSecretValue'))).toHaveLength(2);
  });
});

describe('a function that verifies tokens', () => {
  it('takes the place of the secret, and only the functions that verify may call it', () => {
    const { stack, switchboard } = createWithFunction();
    expect(switchboard.tokenSecretArn).toBeUndefined();
    expect(resourcesOf(stack, 'AWS::SecretsManager::Secret')).toEqual([]);
    expect(grantsOf(stack, 'lambda:InvokeFunction')).toEqual({
      AuthorizeRoleDefaultPolicy: '${Verify.Arn}',
      MessageRoleDefaultPolicy: '${Verify.Arn}',
    });
    expect(grantsOf(stack, 'secretsmanager:GetSecretValue')).toEqual({});
    for (const { settings } of settingsOf(stack))
      expect(settings).toMatchObject({ verifier: '${Verify.Arn}', keySets: [] });
  });

  it('and an issuer exclude each other', () => {
    expect(() => createWithFunction({ tokenIssuer: 'secret' })).toThrow(
      new SettingsError('verifyToken takes the place of tokenIssuer; set only one of the two.'),
    );
  });
});

describe('the settings of tokens', () => {
  it('reach the functions that verify, and the authorizer', () => {
    const stack = createStack({
      tokenClaims: { userType: 'role' },
      claims: ['role', 'team'],
      maxTokenLifetimeSeconds: 3600,
      requireTenant: true,
      tokenParameter: 'access_token',
    });
    for (const { settings } of settingsOf(stack)) {
      expect(settings).toMatchObject({
        parameter: 'access_token',
        names: { userType: 'role' },
        claims: ['role', 'team'],
        maxLifetimeSeconds: 3600,
        requireTenant: true,
      });
    }
    const sources = resourcesOf(stack, 'AWS::ApiGatewayV2::Authorizer').map(
      ({ properties }) => properties['IdentitySource'],
    );
    expect(sources).toContainEqual(['route.request.querystring.access_token']);
  });

  it('may name what is known only after the deployment', () => {
    const stack = createOwnStack();
    const { region } = stack;
    new Switchboard(stack, 'Switchboard', {
      tokenIssuer: { ...keySet, jwksUrl: `https://id.${region}.example/keys` },
    });
    const [first] = settingsOf(stack);
    expect(first?.settings.keySets[0]?.jwksUrl).toBe('https://id.${AWS::Region}.example/keys');
  });

  it('take 1 KB of the functions’ environment at most', () => {
    const tokenIssuer = Array.from({ length: 12 }, (_, index) => ({
      ...keySet,
      issuer: `https://id${index}.example`,
    }));
    expect(() => createStack({ tokenIssuer })).toThrow(
      /^The settings of tokens take up to 1\d{3} bytes of a function's environment; at most 1024 fit\. Name fewer issuers, algorithms or claims, or shorter ones\.$/,
    );
  });
});
