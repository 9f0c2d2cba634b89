import { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readLifecycleEvent } from '../../core/lifecycle/event.ts';
import { record } from '../core/lifecycle/records.ts';
import { json, useEndpoint } from '../core/targets/endpoint.ts';
import { Queue } from '../queue.ts';
import { queueEvent } from './events.ts';

const endpoint = useEndpoint();
const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:audit';
const sqs = mockClient(SQSClient);

beforeEach(() => {
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockReturnValue(true);
  vi.stubEnv('LOG_LEVEL', 'INFO');
  vi.stubEnv('LIFECYCLE_TARGETS', JSON.stringify([{ lambda: functionArn, timeoutMs: 60_000 }]));
  vi.stubEnv('LIFECYCLE_RETRIES_URL', 'https://queue');
  vi.stubEnv('AWS_ENDPOINT_URL', endpoint.url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.resetModules();
  sqs.reset();
  sqs.on(SendMessageCommand).resolves({});
  sqs.on(ChangeMessageVisibilityCommand).resolves({});
  endpoint.respond = json(null);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function load() {
  return (await import('../../lambdas/lifecycle.ts')).handler;
}

interface Told {
  readonly kind: string;
  readonly session: { readonly connectionId: string };
}

function told(): Told[] {
  return endpoint.requests.values.map(({ body }) => JSON.parse(body) as Told);
}

describe('a batch of the stream', () => {
  it('tells of every session, and of one session in its order', async () => {
    const handler = await load();
    const held = new Queue<() => void>();
    endpoint.respond = (response, request) => {
      const { kind, session } = JSON.parse(request.body) as Told;
      const answer = () => {
        json(null)(response, request);
      };
      if (kind === 'connected' && session.connectionId === 'c1=') held.push(answer);
      else answer();
    };
    const kindsOf = (id: string) =>
      told()
        .filter(({ session }) => session.connectionId === id)
        .map(({ kind }) => kind);
    const Records = ['c1=', 'c2='].flatMap((id, index) => [
      record('INSERT', id, {}, index * 2 + 1),
      record('REMOVE', id, {}, index * 2 + 2),
    ]);
    const handled = handler({ Records });
    // The target takes the beginning of c1= only after both events of c2= have arrived.
    const take = await held.next();
    await expect.poll(() => kindsOf('c2=')).toEqual(['connected', 'disconnected']);
    expect(kindsOf('c1=')).toEqual(['connected']);
    take();
    expect(await handled).toEqual({ batchItemFailures: [] });
    expect(kindsOf('c1=')).toEqual(['connected', 'disconnected']);
  });

  it('that a target did not take has succeeded: the event waits in the queue', async () => {
    const handler = await load();
    endpoint.respond = json({}, 500);
    expect(await handler({ Records: [record('INSERT', 'c1=')] })).toEqual({ batchItemFailures: [] });
    expect(sqs.commandCalls(SendMessageCommand)).toHaveLength(1);
  });

  it('names the records that neither the target nor the queue took', async () => {
    const handler = await load();
    endpoint.respond = (response, request) => {
      json(null, request.body.includes('bad=') ? 500 : 200)(response, request);
    };
    sqs.on(SendMessageCommand).rejects(new Error('no queue'));
    const Records = [
      record('INSERT', 'a=', {}, 1),
      record('INSERT', 'bad=', {}, 2),
      record('INSERT', 'b=', {}, 3),
    ];
    expect(await handler({ Records })).toEqual({ batchItemFailures: [{ itemIdentifier: '2' }] });
    expect(told()).toHaveLength(3);
  });
});

describe('a message of the queue', () => {
  const event = readLifecycleEvent(record('INSERT', 'c1='), 1);
  const message = (tries: number) => queueEvent(JSON.stringify({ target: functionArn, event }), tries);

  it('is delivered to its target', async () => {
    const handler = await load();
    expect(await handler(message(1))).toEqual({ batchItemFailures: [] });
    expect(told()).toEqual([event]);
  });

  it.each([
    { tries: 1, seconds: 300 },
    { tries: 3, seconds: 7200 },
    { tries: 7, seconds: 0 },
  ])('that failed $tries times comes again after $seconds s', async ({ tries, seconds }) => {
    const handler = await load();
    endpoint.respond = json({}, 500);
    const given = message(tries);
    const [{ messageId, receiptHandle } = { messageId: '', receiptHandle: '' }] = given.Records;
    expect(await handler(given)).toEqual({ batchItemFailures: [{ itemIdentifier: messageId }] });
    expect(sqs.commandCalls(ChangeMessageVisibilityCommand).map(({ args }) => args[0].input)).toEqual([
      { QueueUrl: 'https://queue', ReceiptHandle: receiptHandle, VisibilityTimeout: seconds },
    ]);
  });
});
