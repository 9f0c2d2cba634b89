import {
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  ListTagsForResourceCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it, vi } from 'vitest';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { manualClock } from '../harness/manual-clock.ts';
import { startPlatform } from '../harness/platform.ts';

const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const role = (service: string, statements: readonly object[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }],
    },
    Policies: [{ PolicyDocument: { Statement: statements } }],
  },
});
const clock = manualClock();
// The hourly schedule is not due at the start.
clock.advance(1000);
const platform = await startPlatform(
  writeAssembly({
    Resources: {
      ...lambdaWithRole('Print', 'exports.handler = async (event) => console.log(JSON.stringify(event))'),
      ...lambdaWithRole('Planner', 'exports.handler = async () => null', {
        statements: [
          allow('scheduler:CreateSchedule', 'arn:aws:scheduler:*:*:schedule/own/*'),
          allow('iam:PassRole', arnOf('Invoker')),
        ],
      }),
      Jobs: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'jobs' } },
      Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } },
      Invoker: role('scheduler.amazonaws.com', [
        allow('lambda:InvokeFunction', arnOf('Print')),
        allow('sqs:SendMessage', arnOf('Jobs')),
      ]),
      Powerless: role('scheduler.amazonaws.com', []),
      Conditional: role('scheduler.amazonaws.com', [
        { ...allow('*', '*'), Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } },
      ]),
      Stranger: role('lambda.amazonaws.com', []),
      Group: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: 'own' } },
      Hourly: {
        Type: 'AWS::Scheduler::Schedule',
        Properties: {
          Name: 'hourly',
          GroupName: 'own',
          ScheduleExpression: 'cron(0 * * * ? *)',
          FlexibleTimeWindow: { Mode: 'OFF' },
          Target: { Arn: arnOf('Jobs'), RoleArn: arnOf('Invoker') },
        },
      },
    },
  }),
  { clock },
);
const { deployment } = platform;
const client = new SchedulerClient(platform.client);
const sqs = new SQSClient(platform.client);
const target = (id: string, roleId = 'Invoker', more: object = {}) => ({
  Arn: deployment.attribute(id, 'Arn'),
  RoleArn: deployment.attribute(roleId, 'Arn'),
  ...more,
});
const create = (input: Partial<CreateScheduleCommandInput>, of = client) =>
  of.send(
    new CreateScheduleCommand({
      Name: 'one',
      ScheduleExpression: inOneMinute(),
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: target('Print', 'Invoker', { Input: '{"hello":1}' }),
      ...input,
    }),
  );
const inOneMinute = () => `at(${new Date(clock.now() + 60_000).toISOString().slice(0, 19)})`;
const printed = (text: string) =>
  vi.waitFor(() => expect(platform.output.join('')).toContain(text), { timeout: 15_000 });

describe('Scheduler', () => {
  it('calls a function at a time, with its input, and deletes the schedule then if told so', async () => {
    const { ScheduleArn } = await create({ Name: 'once', ActionAfterCompletion: 'DELETE' });
    expect(ScheduleArn).toBe('arn:aws:scheduler:us-east-1:000000000000:schedule/default/once');
    clock.advance(59_000);
    expect(await client.send(new GetScheduleCommand({ Name: 'once' }))).toMatchObject({
      State: 'ENABLED',
      ScheduleExpressionTimezone: 'UTC',
      Target: { Input: '{"hello":1}' },
    });
    clock.advance(1000);
    await printed('{"hello":1}');
    await expect(client.send(new GetScheduleCommand({ Name: 'once' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    expect(platform.meter.snapshot()['scheduler.invocations']).toBe(1);
  });

  it('updates, lists and deletes schedules; a disabled one does not run', async () => {
    await create({ Name: 'later', Target: target('Print', 'Invoker', { Input: '"first"' }) });
    await expect(create({ Name: 'later' })).rejects.toMatchObject({ name: 'ConflictException' });
    const changed = {
      Name: 'later',
      ScheduleExpression: inOneMinute(),
      FlexibleTimeWindow: { Mode: 'OFF' as const },
      Target: target('Print', 'Invoker', { Input: '"<aws.scheduler.scheduled-time>"' }),
    };
    await client.send(new UpdateScheduleCommand(changed));
    await create({
      Name: 'disabled',
      State: 'DISABLED',
      Target: target('Print', 'Invoker', { Input: '"off"' }),
    });
    const names = async (input: object) =>
      (await client.send(new ListSchedulesCommand(input))).Schedules?.map(({ Name }) => Name);
    expect(await names({ GroupName: 'own' })).toEqual(['hourly']);
    expect(await names({ GroupName: 'default', State: 'ENABLED' })).toEqual(['later']);
    expect(await names({ NamePrefix: 'dis' })).toEqual(['disabled']);

    const time = `${new Date(clock.now() + 60_000).toISOString().slice(0, 19)}Z`;
    clock.advance(60_000);
    await printed(time);
    expect(platform.output.join('')).not.toMatch(/"first"|"off"/);
    await client.send(new DeleteScheduleCommand({ Name: 'later' }));
    const again = client.send(new DeleteScheduleCommand({ Name: 'later' }));
    await expect(again).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('sends what the template schedules to a queue, again and again', async () => {
    const QueueUrl = deployment.physicalId('Jobs');
    for (const hour of [1, 2]) {
      clock.advance(Date.parse(`1970-01-01T0${String(hour)}:00:00Z`) - clock.now());
      const received = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10, MaxNumberOfMessages: 1 }),
      );
      const body = JSON.parse(received.Messages?.[0]?.Body ?? '{}') as object;
      expect(body).toMatchObject({
        source: 'aws.scheduler',
        time: `1970-01-01T0${String(hour)}:00:00Z`,
        resources: ['arn:aws:scheduler:us-east-1:000000000000:schedule/own/hourly'],
      });
    }
  });

  it('needs a role with the grant; the log and the dead-letter queue get what is refused', async () => {
    const DeadLetterConfig = { Arn: deployment.attribute('Dead', 'Arn') };
    const Input = '{"lost":true}';
    await create({ Name: 'refused', Target: target('Print', 'Powerless', { Input, DeadLetterConfig }) });
    clock.advance(60_000);
    const QueueUrl = deployment.physicalId('Dead');
    const dead = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
    expect(dead.Messages?.[0]?.Body).toBe(Input);
    expect(platform.lines).toContainEqual(
      expect.stringMatching(
        /^SCHEDULE default\/refused failed .*not authorized to perform: lambda:InvokeFunction/,
      ),
    );
  });

  it('runs a schedule whose time passed within the last minute, and no older one', async () => {
    const at = (secondsAgo: number) =>
      `at(${new Date(clock.now() - secondsAgo * 1000).toISOString().slice(0, 19)})`;
    const late = (Input: string) => target('Print', 'Invoker', { Input });
    await create({ Name: 'old', ScheduleExpression: at(61), Target: late('"too old"') });
    await create({ Name: 'late', ScheduleExpression: at(59), Target: late('"just late"') });
    clock.advance(0);
    await printed('"just late"');
    expect(platform.output.join('')).not.toContain('"too old"');
  });

  it.each([
    ['Invalid Schedule Expression every day.', { ScheduleExpression: 'every day' }],
    ['must allow AWS EventBridge Scheduler to assume the role', { Target: target('Print', 'Stranger') }],
    ['IpAddress cannot be evaluated here', { Target: target('Print', 'Conditional') }],
    ['must be JSON for a function', { Target: target('Print', 'Invoker', { Input: 'text' }) }],
    ['FlexibleTimeWindow.Mode', { FlexibleTimeWindow: { Mode: 'FLEXIBLE' as const } }],
    ['Name must have', { Name: 'a b' }],
  ])('refuses a bad schedule: %s', async (message, input) => {
    await expect(create(input)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(message) as string,
    });
  });

  it('checks the grants of the caller: the schedule, its group and the role that it hands over', async () => {
    const planner = new SchedulerClient(platform.clientOf('Planner'));
    await create({ Name: 'mine', GroupName: 'own' }, planner);
    const denied = { name: 'AccessDeniedException' };
    await expect(create({ Name: 'mine' }, planner)).rejects.toMatchObject(denied);
    const other = create({ Name: 'x', GroupName: 'own', Target: target('Print', 'Powerless') }, planner);
    await expect(other).rejects.toThrow('iam:PassRole');
    await expect(planner.send(new ListSchedulesCommand())).rejects.toMatchObject(denied);
    await expect(create({ GroupName: 'none' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const tags = client.send(new ListTagsForResourceCommand({ ResourceArn: 'arn:x' }));
    await expect(tags).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});
