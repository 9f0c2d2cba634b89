import { EventBus } from 'aws-cdk-lib/aws-events';
import { Code, Function, type IFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { revocationSortKey } from '../../core/sessions/revocations.ts';
import { variables } from '../../lambdas/environment.ts';
import { ListenerTarget } from '../../lib/targets/listener-target.ts';
import { deployedBytes } from '../../lib/targets/targets-variable.ts';
import type { SwitchboardStack } from '../../lib/switchboard-stack.ts';
import { createStack, resourcesOf } from './stack-under-test.ts';

const environmentOf = z.object({ Environment: z.object({ Variables: z.record(z.string(), z.string()) }) });
const statementsOf = z.object({
  PolicyDocument: z.object({
    Statement: z.array(z.object({ Action: z.unknown(), Resource: z.unknown() })),
  }),
});

function withResources(): { stack: SwitchboardStack; orders: IFunction; secret: Secret } {
  const stack = createStack();
  const orders = new Function(stack, 'Orders', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('exports.handler = async () => null;'),
  });
  return { stack, orders, secret: new Secret(stack, 'HookSecret') };
}

function variablesOf(stack: SwitchboardStack, logicalId: string): Record<string, string> {
  const fn = resourcesOf(stack, 'AWS::Lambda::Function').find((each) => each.logicalId === logicalId);
  return environmentOf.parse(fn?.properties).Environment.Variables;
}

/** Each statement of the policies whose logical id begins so, as actions and resources. */
function rightsOf(stack: SwitchboardStack, role: string): unknown[] {
  return resourcesOf(stack, 'AWS::IAM::Policy')
    .filter(({ logicalId }) => logicalId.startsWith(role))
    .flatMap(({ properties }) => statementsOf.parse(properties).PolicyDocument.Statement)
    .map(({ Action, Resource }) => ({ Action, Resource }));
}

describe('a target of messages', () => {
  it('is a variable of the function that takes frames', () => {
    const { stack, orders, secret } = withResources();
    stack.switchboard.addTarget('order-*', ListenerTarget.lambda(orders));
    stack.switchboard.addTarget(
      'crm-*',
      ListenerTarget.http('https://crm.example.com/hook', { secret, timeoutMs: 25_000 }),
    );
    expect(JSON.parse(variablesOf(stack, 'Message')['TARGETS'] ?? '')).toEqual([
      { pattern: 'order-*', lambda: '${Orders.Arn}', timeoutMs: 5000 },
      { pattern: 'crm-*', url: 'https://crm.example.com/hook', secret: '${HookSecret}', timeoutMs: 25_000 },
    ]);
  });

  it('may be called by that function, and by nothing else, without a wildcard', () => {
    const { stack, orders, secret } = withResources();
    stack.switchboard.addTarget('order-*', ListenerTarget.lambda(orders));
    stack.switchboard.addTarget('crm-*', ListenerTarget.http('https://crm.example.com/hook', { secret }));
    const rights = rightsOf(stack, 'MessageRole');
    expect(rights).toContainEqual({ Action: 'lambda:InvokeFunction', Resource: '${Orders.Arn}' });
    expect(JSON.stringify(rights)).toContain('HookSecret');
    const others = rightsOf(stack, '').filter(
      (right) => !rights.some((own) => JSON.stringify(own) === JSON.stringify(right)),
    );
    expect(JSON.stringify(others)).not.toMatch(/InvokeFunction|HookSecret/);
  });

  it('may have an address that is known only after the deployment', () => {
    const { stack, orders, secret } = withResources();
    stack.switchboard.addTarget(
      'x',
      ListenerTarget.http(`https://${orders.functionName}.example.com/`, { secret }),
    );
    expect(variablesOf(stack, 'Message')['TARGETS']).toContain('https://${Orders}.example.com/');
  });

  it('adds no resource: who uses none pays nothing', () => {
    const { stack, orders } = withResources();
    const before = resourcesOf(stack).map(({ logicalId }) => logicalId);
    stack.switchboard.addTarget('order-*', ListenerTarget.lambda(orders));
    expect(resourcesOf(stack).map(({ logicalId }) => logicalId)).toEqual(before);
  });

  it.each([
    ['order-*-x', 'The pattern "order-*-x" of a target may have one * only, at its end.'],
    ['', 'The pattern "" of a target must be 1 to 128 characters.'],
    ['ack', 'The pattern "ack" of a target must not be ack, error, pong, closing, presence.'],
    ['known', 'Two targets have the pattern "known".'],
  ])('with the pattern %j is an error', (pattern, message) => {
    const { stack, orders } = withResources();
    stack.switchboard.addTarget('known', ListenerTarget.lambda(orders));
    expect(() => {
      stack.switchboard.addTarget(pattern, ListenerTarget.lambda(orders));
    }).toThrow(message);
  });

  it.each([99, 25_001, 1000.5, Number.NaN])('with a timeoutMs of %d is an error', (timeoutMs) => {
    const { orders } = withResources();
    expect(() => ListenerTarget.lambda(orders, { timeoutMs })).toThrow(
      `The timeoutMs of a target is ${timeoutMs}; allowed: a whole number from 100 to 25000.`,
    );
  });

  it('with plain HTTP to another machine is an error', () => {
    const { secret } = withResources();
    expect(() => ListenerTarget.http('http://crm.example.com/', { secret })).toThrow(
      'The URL http://crm.example.com/ of a target must begin with https://.',
    );
  });

  it('is one of as many as fit into half of what Lambda allows a function in variables', () => {
    const { stack, orders } = withResources();
    const add = (count: number) => {
      stack.switchboard.addTarget(`order-${String(count)}-*`, ListenerTarget.lambda(orders));
    };
    for (let count = 1; count <= 10; count += 1) add(count);
    expect(() => {
      add(11);
    }).toThrow(/^11 targets take up to \d+ bytes of a function's environment; at most 2048 fit\./);
  });
});

it('a variable is measured as Lambda does: as JSON text, in which each quote takes two bytes', () => {
  expect(deployedBytes('{"a":1}')).toBe('"{\\"a\\":1}"'.length);
});

describe('a lifecycle target', () => {
  function withTarget(): SwitchboardStack {
    const { stack, orders } = withResources();
    stack.switchboard.addLifecycleTarget(ListenerTarget.lambda(orders));
    return stack;
  }

  it('brings the stream, the function, its queues and the alarm; without one there are none of them', () => {
    const { stack: without } = withResources();
    const before = new Set(resourcesOf(without).map(({ logicalId }) => logicalId));
    expect(variablesOf(without, 'Disconnect')['RECORDS_ENDS']).toBe('false');
    const after = resourcesOf(withTarget()).map(({ logicalId }) => logicalId);
    expect(after.filter((id) => !before.has(id)).sort()).toEqual([
      'LifecycleChanges',
      'LifecycleDeadLetterAlarm',
      'LifecycleDeadLetters',
      'LifecycleDeadLettersPolicy',
      'LifecycleFunction',
      'LifecycleFunctionLogs',
      'LifecycleFunctionRole',
      'LifecycleFunctionRoleDefaultPolicy',
      'LifecycleRetries',
      'LifecycleRetriesPolicy',
      'LifecycleWorker',
    ]);
  });

  it('is told of new and deleted sessions only, in small batches side by side, with bounded retries', () => {
    const stack = withTarget();
    const tables = resourcesOf(stack, 'AWS::DynamoDB::Table');
    expect(tables.map(({ properties }) => properties['StreamSpecification'])).toEqual([
      { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      undefined,
    ]);
    const mapping = resourcesOf(stack, 'AWS::Lambda::EventSourceMapping').find(
      ({ logicalId }) => logicalId === 'LifecycleChanges',
    );
    expect(mapping?.properties).toMatchObject({
      EventSourceArn: '${SessionsTable.StreamArn}',
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 10,
      ParallelizationFactor: 10,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: '${LifecycleDeadLetters.Arn}' } },
    });
    const { Filters } = filters.parse(mapping?.properties['FilterCriteria']);
    expect(Filters.map(({ Pattern }) => JSON.parse(Pattern) as unknown)).toEqual([
      {
        eventName: ['INSERT', 'REMOVE'],
        dynamodb: {
          Keys: { pk: { S: [{ prefix: 'USER#' }] }, sk: { S: [{ 'anything-but': [revocationSortKey] }] } },
        },
      },
    ]);
  });

  it('lets the function Disconnect write down why a session ended', () => {
    const stack = withTarget();
    expect(variablesOf(stack, 'Disconnect')['RECORDS_ENDS']).toBe('true');
    expect(JSON.stringify(rightsOf(stack, 'DisconnectRole'))).toMatch(
      /"(dynamodb:\w+",")*dynamodb:UpdateItem"[^{]*\$\{SessionsTable\.Arn\}/,
    );
  });

  it('is called by a function with exactly its variables, longer than both events of a session may take', () => {
    const stack = withTarget();
    expect(Object.keys(variablesOf(stack, 'LifecycleFunction')).sort()).toEqual(
      [...variables.lifecycle].sort(),
    );
    const fn = resourcesOf(stack, 'AWS::Lambda::Function').find(
      ({ logicalId }) => logicalId === 'LifecycleFunction',
    );
    expect(fn?.properties).toMatchObject({ Timeout: 60, Runtime: 'nodejs24.x', Architectures: ['arm64'] });
  });

  it('gets an event seven more times, over more than a day; then it is a dead letter with an alarm', () => {
    const queues = resourcesOf(withTarget(), 'AWS::SQS::Queue');
    const retries = queues.find(({ logicalId }) => logicalId === 'LifecycleRetries');
    expect(retries?.properties).toMatchObject({
      VisibilityTimeout: 360,
      MessageRetentionPeriod: 4 * 24 * 3600,
      RedrivePolicy: { deadLetterTargetArn: '${LifecycleDeadLetters.Arn}', maxReceiveCount: 7 },
    });
    const letters = queues.find(({ logicalId }) => logicalId === 'LifecycleDeadLetters');
    expect(letters?.properties).toMatchObject({ MessageRetentionPeriod: 14 * 24 * 3600 });
  });

  it('may be an event bus, with the right to put events on it and no other', () => {
    const { stack } = withResources();
    stack.switchboard.addLifecycleTarget(ListenerTarget.eventBus(new EventBus(stack, 'Bus')));
    const { LIFECYCLE_TARGETS = '' } = variablesOf(stack, 'LifecycleFunction');
    expect(JSON.parse(LIFECYCLE_TARGETS)).toEqual([{ eventBus: '${Bus.Arn}' }]);
    expect(rightsOf(stack, 'LifecycleFunctionRole')).toContainEqual({
      Action: 'events:PutEvents',
      Resource: '${Bus.Arn}',
    });
  });

  it('that is added twice is an error', () => {
    const { stack, orders } = withResources();
    stack.switchboard.addLifecycleTarget(ListenerTarget.lambda(orders));
    expect(() => {
      stack.switchboard.addLifecycleTarget(ListenerTarget.lambda(orders, { timeoutMs: 100 }));
    }).toThrow('Two lifecycle targets are the same.');
  });
});

const filters = z.object({ Filters: z.array(z.object({ Pattern: z.string() })) });
