import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lambda, writeAssembly, type Resources } from './harness/inline-functions.ts';
import { runCloud } from './harness/running-cloud.ts';
import { webSocketStack, type WebSocketRouteSpec } from './harness/websocket-stack.ts';

/** Answers with its version, and with how many events its environment has had. */
function counter(version: string): WebSocketRouteSpec {
  const body = `globalThis.count = (globalThis.count ?? 0) + 1; return { body: '${version} ' + globalThis.count };`;
  return { body, returnsResponse: true };
}

function stack(routes: Readonly<Record<string, WebSocketRouteSpec>>, more: Resources = {}): Resources {
  return { ...webSocketStack({ routes: { $connect: {}, ...routes } }), ...more };
}

function table(name: string): Resources[string] {
  return {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      TableName: name,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    },
  };
}

/** A queue, and a function that takes its messages. */
function worker(version: string): Resources {
  const body = `for (const { body } of event.Records) console.log('${version} got ' + body);`;
  const arn = { 'Fn::GetAtt': ['Jobs', 'Arn'] };
  const statement = { Effect: 'Allow', Action: 'sqs:*', Resource: arn };
  return {
    ...lambda('Worker', body),
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: { Policies: [{ PolicyDocument: { Statement: [statement] } }] },
    },
    Jobs: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'jobs' } },
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: arn, FunctionName: { Ref: 'Worker' }, BatchSize: 1 },
    },
  };
}

const slow = { timeout: 15_000 };

async function runStack(resources: Resources) {
  const cloud = await runCloud(resources);
  const client = await cloud.connect().open();
  const ask = async (type: string): Promise<string> => {
    client.send({ type });
    return client.frames.next();
  };
  const update = async (next: Resources): Promise<void> => cloud.update(await writeAssembly(next));
  return { cloud, client, ask, update };
}

describe('an update of a running cloud', () => {
  it('gives the next message of an open connection to the changed function', async () => {
    const { ask, update } = await runStack(stack({ $default: counter('one') }));
    expect(await ask('x')).toBe('one 1');
    await update(stack({ $default: counter('two') }));
    expect(await ask('x')).toBe('two 1');
  });

  it('keeps the environments of a function that has not changed', async () => {
    const { ask, update } = await runStack(stack({ same: counter('same'), $default: counter('one') }));
    expect(await ask('same')).toBe('same 1');
    await update(stack({ same: counter('same'), $default: counter('two') }));
    expect(await ask('same')).toBe('same 2');
  });

  it('lets an event that runs finish in the old version', async () => {
    const slow = (version: string): WebSocketRouteSpec => ({
      body: `await new Promise((done) => setTimeout(done, 500)); return { body: '${version}' };`,
      returnsResponse: true,
    });
    const { cloud, client, update } = await runStack(stack({ $default: slow('one') }));
    client.send({ type: 'x' });
    await cloud.events('Default').next();
    await update(stack({ $default: slow('two') }));
    expect(await client.frames.next()).toBe('one');
  });

  it('adds a route for open connections', async () => {
    const { ask, update } = await runStack(stack({ $default: counter('default') }));
    expect(await ask('new')).toBe('default 1');
    await update(stack({ $default: counter('default'), new: counter('new') }));
    expect(await ask('new')).toBe('new 1');
    expect(await ask('other')).toBe('default 2');
  });

  it('makes a new table, and keeps the items of another', async () => {
    const { cloud, update } = await runStack(stack({}, { Old: table('old') }));
    const db = new DynamoDBClient({
      endpoint: cloud.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    onTestFinished(() => {
      db.destroy();
    });
    const item = { id: { S: 'kept' } };
    await db.send(new PutItemCommand({ TableName: 'old', Item: item }));
    await update(stack({}, { Old: table('old'), New: table('new') }));
    await db.send(new PutItemCommand({ TableName: 'new', Item: item }));
    for (const TableName of ['old', 'new']) {
      expect(await db.send(new GetItemCommand({ TableName, Key: item }))).toMatchObject({ Item: item });
    }
  });

  it('brings the messages of a queue to the new version of its function', async () => {
    const { cloud, update } = await runStack(stack({ $default: counter('one') }, worker('one')));
    const sqs = new SQSClient({
      endpoint: cloud.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    onTestFinished(() => {
      sqs.destroy();
    });
    const QueueUrl = `${cloud.url}/000000000000/jobs`;
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'first' }));
    await expect.poll(() => cloud.lines, slow).toContain('  Worker: one got first');
    await update(stack({}, worker('two')));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'second' }));
    await expect.poll(() => cloud.lines, slow).toContain('  Worker: two got second');
  });

  it('closes the connections of an API that is gone', async () => {
    const { client, update } = await runStack(stack({ $default: counter('one') }));
    await update({ Things: table('things') });
    expect((await client.closed).code).toBe(1001);
  });

  it.each([
    ['a missing function', { ...stack({ $default: counter('two') }), Default: table('things') }],
    ['a role that is not in the template', stackWithRole('arn:aws:iam::000000000000:role/other')],
  ])('refuses %s, and runs the version before it on', async (_, broken) => {
    const { ask, update } = await runStack(stack({ $default: counter('one') }));
    await expect(update(broken)).rejects.toMatchObject({ name: 'TemplateError' });
    expect(await ask('x')).toBe('one 1');
  });
});

function stackWithRole(Role: string): Resources {
  const resources = stack({ $default: counter('two') });
  const { Type = '', Properties = {} } = resources.Default ?? {};
  return { ...resources, Default: { Type, Properties: { ...Properties, Role } } };
}
