import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { localKeys, localRegion } from '../../publisher/signed-request.ts';
import { changedAssembly, setVariable, type Template } from './changed-assembly.ts';
import { startStack, type Stack } from './stack.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** The stack with a small inline limit, so that three sessions are a large audience, and what a test changes besides. */
async function startSmall(change: (template: Template) => void = () => undefined): Promise<Stack> {
  const assembly = await changedAssembly((template) => {
    setVariable(template, 'INLINE_LIMIT', '2');
    change(template);
  });
  ends.push(() => rm(assembly, { recursive: true, force: true }));
  const stack = await startStack({ assembly });
  ends.push(() => stack.close());
  return stack;
}

/** The queues' addresses, by whether they are the dead letters'. */
function queueUrl({ cloud }: Stack, isDeadLetters: boolean): string {
  const queue = cloud.deployment
    .ofType('AWS::SQS::Queue')
    .find(({ logicalId }) => logicalId.includes('DeadLetters') === isDeadLetters);
  return cloud.deployment.physicalId(queue?.logicalId ?? '');
}

function sqsOf(stack: Stack): SQSClient {
  const sqs = new SQSClient({ endpoint: stack.url, region: localRegion, credentials: localKeys });
  ends.push(() => {
    sqs.destroy();
    return Promise.resolve();
  });
  return sqs;
}

/** The first body that comes to lie in the dead-letter queue. */
async function deadLetter(stack: Stack, sqs: SQSClient): Promise<string> {
  let body: string | undefined;
  const receive = async () => {
    const command = new ReceiveMessageCommand({ QueueUrl: queueUrl(stack, true), WaitTimeSeconds: 1 });
    body ??= (await sqs.send(command)).Messages?.[0]?.Body;
    return body;
  };
  await expect.poll(receive, { timeout: 40_000, interval: 10 }).toBeDefined();
  return body ?? '';
}

describe('a job that cannot be done', () => {
  it('and is no job at all lands in the dead-letter queue', async () => {
    const stack = await startSmall();
    const sqs = sqsOf(stack);
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(stack, false), MessageBody: 'poison' }));
    expect(await deadLetter(stack, sqs)).toBe('poison');
  }, 60_000);

  it('lands there with its publication, whose report says failed', async () => {
    // Workers read another table than the publisher wrote to: none of theirs succeeds.
    const stack = await startSmall((template) => {
      setVariable(template, 'SESSIONS_TABLE', 'no-such-table', 'FanOut');
    });
    const sqs = sqsOf(stack);
    for (const user of ['a', 'b', 'c']) await stack.connect({ user });
    const messageId = randomUUID();
    const answer = await stack.publish({ to: 'everyone', type: 'x', content: 1, messageId });
    expect(answer).toMatchObject({ status: 202 });
    expect(JSON.parse(await deadLetter(stack, sqs))).toMatchObject({ messageId });
    await expect
      .poll(() => stack.call('GET', `/publications/${messageId}`), { timeout: 20_000 })
      .toMatchObject({ body: { status: 'failed', delivered: 0 } });
  }, 90_000);
});

describe('a fan-out of the largest frame', () => {
  it('arrives whole, although the job that carries it is four times as long', async () => {
    const stack = await startSmall();
    const clients = [];
    for (const user of ['a', 'b', 'c']) clients.push(await stack.connect({ user }));
    const content = '"'.repeat(65_000);
    expect(await stack.publish({ to: 'everyone', type: 'x', content })).toMatchObject({ status: 202 });
    for (const client of clients) expect(await client.next()).toMatchObject({ content });
  }, 60_000);
});

describe('a wrong callback endpoint', () => {
  it('costs no session its row', async () => {
    const stack = await startSmall((template) => {
      // A stage of nobody: the laptop refuses it, as AWS refuses what is not of this API.
      setVariable(template, 'CALLBACK_ENDPOINT', 'http://127.0.0.1:9/other');
    });
    const clients = [await stack.connect({ user: 'a' }), await stack.connect({ user: 'b' })];
    expect(await stack.publish({ to: 'type:member', type: 'x', content: 1 })).toMatchObject({
      status: 200,
      body: { delivered: 0, gone: 0, failed: 2 },
    });
    expect((await stack.call('GET', '/sessions?userType=member')).body).toMatchObject({ sessions: [{}, {}] });
    for (const client of clients) await client.expectSilence();
  }, 60_000);
});
