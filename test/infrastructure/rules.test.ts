import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Function } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { ListenerTarget } from '../../lib/listener-target.ts';
import { SwitchboardStack } from '../../lib/switchboard-stack.ts';
import type { SwitchboardProps } from '../../lib/switchboard.ts';
import { createStack, resourcesOf } from './stack-under-test.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchboard-rules-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the template', () => {
  it('passes the rules of AWS Solutions, except the findings that are acknowledged with a reason', () => {
    const { app } = createApp('rules');
    expect(violations(app)).toEqual([]);
  });

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

  it.each<[string, SwitchboardProps]>([
    ['by default', {}],
    [
      'with every setting changed',
      {
        removalPolicy: 'destroy',
        webSocketThrottle: { rateLimit: 100, burstLimit: 10 },
        callbackEndpoint: 'https://ws.example.com/{stage}',
        allowedOrigins: ['https://app.example.com'],
        logRetentionDays: 9999,
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

function createApp(name: string, settings: SwitchboardProps = {}): { app: App; stack: SwitchboardStack } {
  const app = new App({
    outdir: join(folder, name),
    context: {
      'aws:cdk:bundling-stacks': [],
      // The report has the findings. Without this, CDK would also end the process with an error.
      '@aws-cdk/core:failSynthOnValidationErrors': false,
    },
    builtinCloudFormationValidation: false,
  });
  return { app, stack: new SwitchboardStack(app, 'Switchboard', settings) };
}

/** The rules of cdk-nag that the app breaks. A plugin without findings is not in the report. */
function violations(app: App): readonly string[] {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
  const report = reportSchema.parse(
    JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')),
  );
  return report.pluginReports.flatMap((plugin) => plugin.violations.map(({ ruleName }) => ruleName));
}

function graveDiagnostics(template: string): readonly string[] {
  const engine = new RegoEngine();
  try {
    return engine
      .validateStandard(new TemplateFile(template))
      .diagnostics.filter(({ severity }) => severity === 'ERROR' || severity === 'FATAL')
      .map(({ ruleId, message }) => `${ruleId} ${message}`);
  } finally {
    engine.free();
  }
}

const reportSchema = z.object({
  pluginReports: z.array(
    z.object({ pluginName: z.string(), violations: z.array(z.object({ ruleName: z.string() })) }),
  ),
});
