import {
  EventBridgeClient,
  ListRulesCommand,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it, vi } from 'vitest';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { manualClock } from '../harness/manual-clock.ts';
import { startPlatform } from '../harness/platform.ts';

const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const rule = (Properties: object) => ({ Type: 'AWS::Events::Rule', Properties });
const permission = (functionId: string, ruleId: string) => ({
  Type: 'AWS::Lambda::Permission',
  Properties: {
    Action: 'lambda:InvokeFunction',
    FunctionName: arnOf(functionId),
    Principal: 'events.amazonaws.com',
    SourceArn: arnOf(ruleId),
  },
});
const print = 'exports.handler = async (event) => console.log(JSON.stringify(event))';
const template = {
  summary: '{"rule":"<aws.events.rule-name>","who":<user>,"text":"<user> paid \\"<sum>\\"","gone":<none>}',
  paths: { user: '$.detail.users[0]', sum: '$.detail.sum', none: '$.detail.none' },
};
const clock = manualClock();
const platform = await startPlatform(
  writeAssembly({
    Resources: {
      ...lambdaWithRole('Print', print),
      ...lambdaWithRole('Fails', `exports.handler = async () => { throw new Error('no') }`),
      ...lambdaWithRole('Sender', 'exports.handler = async () => null', {
        statements: [allow('events:PutEvents', arnOf('Bus'))],
      }),
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'shop' } },
      Jobs: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'jobs' } },
      Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } },
      Orders: rule({
        Name: 'orders',
        EventBusName: { Ref: 'Bus' },
        EventPattern: { source: ['orders'], detail: { sum: [{ numeric: ['>', 10] }] } },
        Targets: [
          { Id: 'Whole', Arn: arnOf('Print') },
          { Id: 'Part', Arn: arnOf('Jobs'), InputPath: '$.detail.users' },
        ],
      }),
      OrdersPermission: permission('Print', 'Orders'),
      Summary: rule({
        Name: 'summary',
        EventPattern: { source: ['summary'] },
        Targets: [
          {
            Id: 'T',
            Arn: arnOf('Jobs'),
            InputTransformer: { InputPathsMap: template.paths, InputTemplate: template.summary },
          },
        ],
      }),
      Refused: rule({
        Name: 'refused',
        EventPattern: { source: ['refused'] },
        Targets: [
          { Id: 'T', Arn: arnOf('Print'), Input: '"in"', DeadLetterConfig: { Arn: arnOf('Dead') } },
          { Id: 'Elsewhere', Arn: 'arn:aws:states:us-east-1:000000000000:stateMachine:x' },
        ],
      }),
      Failing: rule({
        Name: 'failing',
        EventPattern: { source: ['failing'] },
        Targets: [{ Id: 'T', Arn: arnOf('Fails') }],
      }),
      FailingPermission: permission('Fails', 'Failing'),
      Off: rule({
        State: 'DISABLED',
        EventPattern: { source: ['orders'] },
        Targets: [{ Id: 'T', Arn: arnOf('Jobs') }],
      }),
      Tick: rule({
        Name: 'tick',
        ScheduleExpression: 'rate(5 minutes)',
        Targets: [{ Id: 'T', Arn: arnOf('Print') }],
      }),
      TickPermission: permission('Print', 'Tick'),
    },
  }),
  { clock },
);
const client = new EventBridgeClient(platform.client);
const sqs = new SQSClient(platform.client);
const entry = (Source: string, detail: unknown = {}, more: object = {}): PutEventsRequestEntry => ({
  Source,
  DetailType: 'Made',
  Detail: JSON.stringify(detail),
  ...more,
});
const put = (...Entries: PutEventsRequestEntry[]) => client.send(new PutEventsCommand({ Entries }));
const receive = async (queue: string) => {
  const QueueUrl = platform.deployment.physicalId(queue);
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10, MaxNumberOfMessages: 1 }),
  );
  return Messages?.[0]?.Body;
};
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 15_000 });

describe('EventBridge', () => {
  it('brings an event to the targets of the rules that match it', async () => {
    const detail = { sum: 11, users: ['ann', 'bob'] };
    const small = entry('orders', { sum: 10 }, { EventBusName: 'shop' });
    const large = entry('orders', detail, {
      EventBusName: platform.deployment.attribute('Bus', 'Arn'),
      Resources: ['arn:x'],
      Time: new Date('2026-01-02T03:04:05Z'),
    });
    const { Entries, FailedEntryCount } = await put(small, large);
    expect(FailedEntryCount).toBe(0);
    expect(await receive('Jobs')).toBe('["ann","bob"]');
    await eventually(() => expect(platform.output.join('')).toContain('"orders"'));
    expect(JSON.parse(platform.output.join(''))).toEqual({
      version: '0',
      id: Entries?.[1]?.EventId,
      'detail-type': 'Made',
      source: 'orders',
      account: '000000000000',
      time: '2026-01-02T03:04:05Z',
      region: 'us-east-1',
      resources: ['arn:x'],
      detail,
    });
    expect(platform.lines).toContainEqual(expect.stringMatching(/^RULE orders Whole ok/));
    expect(platform.meter.snapshot()['events.published']).toBe(2);
  });

  it('fills the template of an input', async () => {
    await put(entry('summary', { users: ['"ann"'], sum: 3 }));
    expect(JSON.parse((await receive('Jobs')) ?? '')).toEqual({
      rule: 'summary',
      who: '"ann"',
      text: '"ann" paid "3"',
      gone: '',
    });
  });

  it('logs what it cannot deliver, and sends it to the dead-letter queue', async () => {
    await put(entry('refused'));
    expect(await receive('Dead')).toBe('"in"');
    expect(platform.lines).toContainEqual(
      expect.stringMatching(
        /^RULE refused T failed .*no AWS::Lambda::Permission lets events\.amazonaws\.com/,
      ),
    );
    expect(platform.lines).toContainEqual(
      expect.stringMatching(/^RULE refused Elsewhere failed .*stateMachine:x does not run here/),
    );
  });

  it('tries a function that fails three times, and says when it gives up', async () => {
    await put(entry('failing'));
    const failures = () =>
      Object.entries(platform.meter.snapshot()).find(([name]) => name === 'lambda.Fails.errors')?.[1];
    await eventually(() => expect(failures()).toBe(1));
    await eventually(() => {
      clock.advance(60_000);
      expect(failures()).toBe(3);
    });
    await eventually(() =>
      expect(platform.lines).toContainEqual(
        expect.stringMatching(/^EVENT Demo-Fails-\w+ dropped 0 ms {2}failed 3 times, at last with Error$/),
      ),
    );
  });

  it('starts a scheduled rule on the clock of the cloud', async () => {
    const ticks = () => platform.output.join('').match(/"Scheduled Event"/g)?.length ?? 0;
    const before = ticks();
    clock.advance(5 * 60_000);
    await eventually(() => expect(ticks()).toBeGreaterThan(before));
    expect(platform.output.join('')).toContain('"source":"aws.events"');
  });

  it('reports the entries that it cannot take', async () => {
    const { Entries, FailedEntryCount } = await put(
      entry('good'),
      { ...entry('x'), DetailType: '' },
      { ...entry('x'), Detail: '[]' },
      entry('x', {}, { EventBusName: 'none' }),
    );
    expect(FailedEntryCount).toBe(3);
    expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'InvalidArgument',
      'MalformedDetail',
      'ResourceNotFoundException',
    ]);
    await expect(put(...Array.from({ length: 11 }, () => entry('x')))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(client.send(new ListRulesCommand())).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
  });

  it('needs a grant on the bus', async () => {
    const sender = new EventBridgeClient(platform.clientOf('Sender'));
    const send = (EventBusName: string) =>
      sender.send(new PutEventsCommand({ Entries: [entry('x', {}, { EventBusName })] }));
    expect((await send('shop')).FailedEntryCount).toBe(0);
    await expect(send('default')).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});
