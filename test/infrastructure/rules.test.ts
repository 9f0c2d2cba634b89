import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, Stack } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Function } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { afterAll, describe, expect, it } from 'vitest';
import { ListenerTarget } from '../../lib/targets/listener-target.ts';
import { SwitchboardStack, type SwitchboardStackSettings } from '../../lib/switchboard-stack.ts';
import { createCheckedApp, graveDiagnostics, violations } from './checks.ts';
import { createStack, resourcesOf } from './stack-under-test.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchboard-rules-'));
afterAll(() => rmSync(folder, { recursive: true }));

const certificateArn = 'arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000';
const domains: SwitchboardStackSettings = {
  webSocketDomain: { domainName: 'ws.example.com', certificateArn, mappingKey: 'chat/v1' },
  httpDomain: { domainName: 'api.example.com', certificateArn },
};

describe('the template', () => {
  it.each<[string, SwitchboardStackSettings]>([
    ['by default', {}],
    ['with custom domains', { ...domains, deletionProtection: true, disableExecuteApiEndpoint: true }],
    [
      'without a token secret',
      {
        tokenIssuer: {
          jwksUrl: 'https://id.example.com/keys',
          issuer: 'https://id.example.com',
          audience: 'app',
        },
      },
    ],
  ])(
    'passes the rules of AWS Solutions %s, except the findings that are acknowledged with a reason',
    (name, settings) => {
      const { app } = createApp(`rules-${name.replaceAll(' ', '-')}`, settings);
      expect(violations(app)).toEqual([]);
    },
  );

  it('passes the same rules with targets of each kind', () => {
    const { app, stack } = createApp('rules-of-targets');
    addTargets(app, stack);
    expect(violations(app)).toEqual([]);
  });

  it('would not pass them with a queue that takes unencrypted requests', () => {
    const { app, stack } = createApp('broken-rules');
    new Queue(stack, 'Queue');
    expect(violations(app)).toContain('AwsSolutions-SQS4');
  });

  it.each<[string, SwitchboardStackSettings]>([
    ['by default', {}],
    [
      'with every setting changed',
      {
        removalPolicy: 'destroy',
        webSocketThrottle: { rateLimit: 100, burstLimit: 10 },
        callbackEndpoint: 'https://ws.example.com/{stage}',
        allowedOrigins: ['https://app.example.com'],
        logRetentionDays: 9999,
        deletionProtection: true,
        ...domains,
        disableExecuteApiEndpoint: true,
      },
    ],
  ])('is valid CloudFormation %s', (name, settings) => {
    const { app } = createApp(name.replaceAll(' ', '-'), settings);
    app.synth();
    expect(graveDiagnostics(join(app.outdir, 'Switchboard.template.json'))).toEqual([]);
  });

  it('is valid CloudFormation with targets of each kind', () => {
    const { app, stack } = createApp('targets');
    addTargets(app, stack);
    app.synth();
    expect(graveDiagnostics(join(app.outdir, 'Switchboard.template.json'))).toEqual([]);
  });

  it('holds only resources that the laptop cloud can run', () => {
    const types = new Set(resourcesOf(createStack()).map(({ type }) => type));
    expect([...types].filter((type) => !runsOnALaptop.test(type))).toEqual([]);
  });
});

const runsOnALaptop =
  /^AWS::(ApiGatewayV2::\w+|Lambda::(Function|Permission|EventSourceMapping)|IAM::(Role|Policy|ManagedPolicy)|Logs::LogGroup|DynamoDB::(Table|GlobalTable)|SecretsManager::Secret|SQS::\w+|CloudWatch::\w+|CDK::Metadata)$/;

/** Targets that belong to another stack, so that their own findings are not ours. */
function addTargets(app: App, { switchboard }: SwitchboardStack): void {
  const others = new Stack(app, 'Others');
  const fn = Function.fromFunctionArn(others, 'Fn', 'arn:aws:lambda:us-east-1:123456789012:function:orders');
  const bus = EventBus.fromEventBusArn(
    others,
    'Bus',
    'arn:aws:events:us-east-1:123456789012:event-bus/orders',
  );
  const secret = Secret.fromSecretCompleteArn(
    others,
    'Secret',
    'arn:aws:secretsmanager:us-east-1:123456789012:secret:hook-AbCdEf',
  );
  const endpoint = ListenerTarget.http('https://crm.example.com/hook', { secret });
  switchboard.addTarget('order-*', ListenerTarget.lambda(fn));
  switchboard.addTarget('crm-*', endpoint);
  for (const target of [ListenerTarget.lambda(fn), endpoint, ListenerTarget.eventBus(bus)])
    switchboard.addLifecycleTarget(target);
}

function createApp(
  name: string,
  settings: SwitchboardStackSettings = {},
): { app: App; stack: SwitchboardStack } {
  const app = createCheckedApp(join(folder, name));
  return { app, stack: new SwitchboardStack(app, 'Switchboard', settings) };
}
