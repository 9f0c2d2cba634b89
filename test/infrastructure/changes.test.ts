import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, StreamViewType, Table, type TableProps } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Key } from 'aws-cdk-lib/aws-kms';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { outboxAttribute } from '../../core/changes/outbox-item.ts';
import { variables } from '../../lambdas/environment.ts';
import { bundleOf } from '../../lib/functions/bundles.ts';
import { ChangeSource, PublishOnChange, Switchboard } from '../../lib/index.ts';
import type { SwitchboardProps } from '../../lib/settings/props.ts';
import { createCheckedApp, graveDiagnostics, violations } from './checks.ts';
import { createOwnStack, resourcesOf } from './stack-under-test.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchboard-changes-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a module and returns its path. */
function write(name: string, code: string): string {
  const file = join(folder, name);
  writeFileSync(file, code);
  return file;
}

const map = write('map.ts', 'export default () => null;\n');

function createTable(scope: Stack, props: Partial<TableProps> = {}): Table {
  return new Table(scope, 'Orders', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
    ...props,
  });
}

/** An own stack with a Switchboard, a table and what `add` adds. */
function create(
  add: (stack: Stack, realtime: Switchboard, orders: Table) => void,
  { settings = {}, table = {} }: { settings?: SwitchboardProps; table?: Partial<TableProps> } = {},
): Stack {
  const stack = createOwnStack();
  const realtime = new Switchboard(stack, 'Realtime', settings);
  add(stack, realtime, createTable(stack, table));
  return stack;
}

function ofTable(settings: SwitchboardProps = {}): Stack {
  return create(
    (stack, realtime, orders) => {
      new PublishOnChange(stack, 'Changes', { realtime, source: ChangeSource.table(orders), map });
    },
    { settings },
  );
}

function ofEvents(): Stack {
  return create((stack, realtime) => {
    const source = ChangeSource.events({ source: ['shop'] }, new EventBus(stack, 'Bus'));
    new PublishOnChange(stack, 'Changes', { realtime, source, map });
  });
}

function find(stack: Stack, type: string, id: string) {
  const found = resourcesOf(stack, type).find(({ logicalId }) => logicalId.startsWith(id));
  if (!found) throw new Error(`There is no ${type} ${id}.`);
  return found.properties;
}

const statements = z.object({
  PolicyDocument: z.object({
    Statement: z.array(z.looseObject({ Action: z.unknown(), Resource: z.unknown() })),
  }),
});

/** Every right of the function, as actions and resources. */
function rightsOf(stack: Stack): readonly unknown[] {
  const policy = find(stack, 'AWS::IAM::Policy', 'ChangesFunctionRole');
  return statements
    .parse(policy)
    .PolicyDocument.Statement.map(({ Action, Resource }) => ({ Action, Resource }));
}

const logs = {
  Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: '${ChangesFunctionLogs.Arn}',
};
const deadLetters = { Action: 'sqs:SendMessage', Resource: '${ChangesDeadLetters.Arn}' };

describe('a PublishOnChange of a table', () => {
  const stack = ofTable({ logRetentionDays: 7, logLevel: 'WARN' });

  it('has a function of its own with exactly its variables, which logs as the others do', () => {
    const fn = find(stack, 'AWS::Lambda::Function', 'ChangesFunction');
    expect(fn).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Timeout: 120,
      Environment: { Variables: { LOG_LEVEL: 'WARN', NODE_OPTIONS: '--enable-source-maps' } },
    });
    const { Variables } = z.object({ Variables: z.record(z.string(), z.unknown()) }).parse(fn['Environment']);
    expect(Object.keys(Variables).sort()).toEqual([...variables.change, 'NODE_OPTIONS'].sort());
    expect(find(stack, 'AWS::Logs::LogGroup', 'ChangesFunctionLogs')['RetentionInDays']).toBe(7);
  });

  it('reads the stream in small batches side by side, with bounded retries', () => {
    expect(find(stack, 'AWS::Lambda::EventSourceMapping', 'ChangesSource')).toEqual({
      EventSourceArn: '${Orders.StreamArn}',
      FunctionName: '${ChangesFunction}',
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 10,
      ParallelizationFactor: 10,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: '${ChangesDeadLetters.Arn}' } },
    });
  });

  it('may read that stream, publish, give up changes and log, and nothing else', () => {
    const rights = rightsOf(stack);
    expect(rights).toHaveLength(4);
    expect(rights).toEqual(
      expect.arrayContaining([
        logs,
        deadLetters,
        {
          Action: ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(
            (action) => `dynamodb:${action}`,
          ),
          Resource: '${Orders.StreamArn}',
        },
        {
          Action: 'execute-api:Invoke',
          Resource: expect.stringMatching(/\$\{\w*HttpApi\w*\}\/\*\/POST\/publish$/) as unknown,
        },
      ]),
    );
  });

  it('keeps what it gives up for 14 days, with an alarm', () => {
    expect(find(stack, 'AWS::SQS::Queue', 'ChangesDeadLetters')).toMatchObject({
      MessageRetentionPeriod: 14 * 24 * 3600,
      MaximumMessageSize: 1_048_576,
    });
    expect(find(stack, 'AWS::CloudWatch::Alarm', 'ChangesDeadLetterAlarm')).toMatchObject({
      AlarmDescription: 'A change of data was not published.',
      Dimensions: [{ Name: 'QueueName', Value: '${ChangesDeadLetters.QueueName}' }],
      Threshold: 1,
    });
  });

  it('gives its alarms and its function to the owner', () => {
    create((own, realtime, orders) => {
      const changes = new PublishOnChange(own, 'Changes', {
        realtime,
        source: ChangeSource.table(orders),
        map,
      });
      expect(changes.alarms.map(({ node }) => node.path)).toEqual(['Own/Changes/DeadLetterAlarm']);
      orders.grantReadData(changes.mapFunction);
      expect(JSON.stringify(rightsOf(own))).toContain('dynamodb:Query');
    });
  });

  it('passes filters to the stream', () => {
    const filters = [{ eventName: ['INSERT'] }];
    const filtered = create((own, realtime, orders) => {
      new PublishOnChange(own, 'Changes', { realtime, source: ChangeSource.table(orders, { filters }), map });
    });
    const { FilterCriteria } = find(filtered, 'AWS::Lambda::EventSourceMapping', 'ChangesSource');
    expect(FilterCriteria).toEqual({ Filters: [{ Pattern: '{"eventName":["INSERT"]}' }] });
  });

  it('may decrypt the stream of a table with a key', () => {
    const encrypted = createOwnStack();
    const realtime = new Switchboard(encrypted, 'Realtime');
    const orders = createTable(encrypted, { encryptionKey: new Key(encrypted, 'Key') });
    new PublishOnChange(encrypted, 'Changes', { realtime, source: ChangeSource.table(orders), map });
    expect(rightsOf(encrypted)).toContainEqual({ Action: 'kms:Decrypt', Resource: '${Key.Arn}' });
  });

  it('without a stream is an error', () => {
    const stack = new Stack(new App(), 'Streamless');
    const table = new Table(stack, 'Orders', { partitionKey: { name: 'pk', type: AttributeType.STRING } });
    expect(() => ChangeSource.table(table)).toThrow(
      'The table of a PublishOnChange has no stream. Give it stream: StreamViewType.NEW_AND_OLD_IMAGES.',
    );
  });

  it('whose map is no file is an error', () => {
    expect(() =>
      create((own, realtime, orders) => {
        new PublishOnChange(own, 'Changes', {
          realtime,
          source: ChangeSource.table(orders),
          map: 'missing.ts',
        });
      }),
    ).toThrow('The map of a PublishOnChange is "missing.ts", which is no file.');
  });
});

describe('a PublishOnChange of events', () => {
  const stack = ofEvents();

  it('has a rule, and a queue whose messages fail ten times before they are given up', () => {
    expect(find(stack, 'AWS::Events::Rule', 'ChangesRule')).toMatchObject({
      EventBusName: '${Bus}',
      EventPattern: { source: ['shop'] },
      Targets: [{ Arn: '${ChangesEvents.Arn}' }],
    });
    expect(find(stack, 'AWS::SQS::Queue', 'ChangesEvents')).toMatchObject({
      VisibilityTimeout: 720,
      RedrivePolicy: { deadLetterTargetArn: '${ChangesDeadLetters.Arn}', maxReceiveCount: 10 },
    });
    expect(find(stack, 'AWS::Lambda::EventSourceMapping', 'ChangesSource')).toMatchObject({
      EventSourceArn: '${ChangesEvents.Arn}',
      ScalingConfig: { MaximumConcurrency: 10 },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });

  it('may receive from that queue, publish, give up events and log, and nothing else', () => {
    const rights = rightsOf(stack);
    expect(rights).toHaveLength(4);
    expect(rights).toEqual(
      expect.arrayContaining([
        logs,
        deadLetters,
        {
          Action: ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
          Resource: '${ChangesEvents.Arn}',
        },
      ]),
    );
  });
});

describe('an outbox', () => {
  it('costs a call only for the items of the outbox', () => {
    const stack = create((own, realtime, table) => {
      PublishOnChange.outbox(own, 'Changes', { realtime, table });
    });
    const filter = { dynamodb: { NewImage: { [outboxAttribute]: { S: [{ exists: true }] } } } };
    expect(find(stack, 'AWS::Lambda::EventSourceMapping', 'ChangesSource')['FilterCriteria']).toEqual({
      Filters: [{ Pattern: JSON.stringify({ eventName: ['INSERT'], ...filter }) }],
    });
  });
});

describe('service tenants', () => {
  const tenantsOf = (stack: Stack) =>
    (find(stack, 'AWS::Lambda::Function', 'RealtimePublish')['Environment'] as { Variables: object })
      .Variables as { SERVICE_TENANTS: string };

  it('let the function publish for every tenant, because its code is the owner’s', () => {
    const { SERVICE_TENANTS } = tenantsOf(ofTable({ serviceTenants: { Shop: 'acme' } }));
    expect(JSON.parse(SERVICE_TENANTS)).toEqual({ Shop: 'acme', '${ChangesFunctionRole}': '*' });
  });

  it('stay empty if there are none', () => {
    expect(tenantsOf(ofTable()).SERVICE_TENANTS).toBe('{}');
  });
});

describe('the rules', () => {
  it('of AWS Solutions and of CloudFormation are kept by each kind', () => {
    const app = createCheckedApp(join(folder, 'rules'));
    const others = new Stack(app, 'Others');
    const table = Table.fromTableAttributes(others, 'Orders', {
      tableArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/orders',
      tableStreamArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-11-20T00:00:00.000',
    });
    const stack = new Stack(app, 'Own');
    const realtime = new Switchboard(stack, 'Realtime');
    new PublishOnChange(stack, 'Rows', { realtime, source: ChangeSource.table(table), map });
    new PublishOnChange(stack, 'Events', { realtime, source: ChangeSource.events({ source: ['a'] }), map });
    PublishOnChange.outbox(stack, 'Outbox', { realtime, table });
    expect(violations(app)).toEqual([]);
    expect(graveDiagnostics(join(app.outdir, 'Own.template.json'))).toEqual([]);
  });
});

describe('the bundle of a mapping', () => {
  it('holds the module and what it imports, with the class Refusal of the function', () => {
    const file = write(
      'refusing.ts',
      `import { defineChange, Refusal } from 'switchboard/change';
       export default defineChange(() => { throw new Refusal('not_found', 'type-of-refusal'); });`,
    );
    const code = Buffer.from(bundleOf('change', [file]).get('index.js') ?? '').toString();
    expect(code).toContain('type-of-refusal');
    expect(code.match(/There is no error code/g)).toHaveLength(1);
  });

  it.each([
    ['does not build', 'export default (', /Unexpected end of file/],
    [
      'has no default export',
      'export const map = () => null;',
      /The default export must be a function, as defineChange makes it: /,
    ],
  ])('that %s is an error', (_what, code, message) => {
    const file = write('wrong.ts', code);
    expect(() => bundleOf('change', [file])).toThrow(/^The map of a PublishOnChange names code that/);
    expect(() => bundleOf('change', [file])).toThrow(message);
  });
});
