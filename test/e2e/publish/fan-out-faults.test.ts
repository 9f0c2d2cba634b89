import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { userKey } from '../../../core/sessions/items.ts';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import { changedAssembly, setVariable, type Template } from '../changed-assembly.ts';
import { startStack, type Stack } from '../stack.ts';
import { onTable } from '../tables.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Starts the stack with the test's changes. The inline limit is small, so that three sessions need a fan-out. */
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

/** The URL of the dead-letter queue or of the queue of jobs. */
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

/** Reads the dead-letter queue until each part has been found in a body. */
async function expectDeadLetters(stack: Stack, sqs: SQSClient, parts: readonly string[]): Promise<void> {
  const missing = new Set(parts);
  const receive = async () => {
    const command = new ReceiveMessageCommand({ QueueUrl: queueUrl(stack, true), WaitTimeSeconds: 1 });
    for (const { Body = '' } of (await sqs.send(command)).Messages ?? []) {
      for (const part of missing) if (Body.includes(part)) missing.delete(part);
    }
    return [...missing];
  };
  await expect.poll(receive, { timeout: 90_000, interval: 10 }).toEqual([]);
}

describe('a job that always fails', () => {
  it('goes to the dead-letter queue, and the report of its publication says failed', async () => {
    // The workers read a table that does not exist, so every job fails.
    const stack = await startSmall((template) => {
      setVariable(template, 'SESSIONS_TABLE', 'no-such-table', 'FanOut');
    });
    const sqs = sqsOf(stack);
    for (const user of ['a', 'b', 'c']) await stack.connect({ user });
    const messageId = randomUUID();
    // A body that is not a job fails too.
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(stack, false), MessageBody: 'poison' }));
    const answer = await stack.publish({ to: 'everyone', type: 'x', content: 1, messageId });
    expect(answer).toMatchObject({ status: 202 });
    await expectDeadLetters(stack, sqs, ['poison', messageId]);
    await expect
      .poll(() => stack.call('GET', `/publications/${messageId}`), { timeout: 30_000 })
      .toMatchObject({ body: { status: 'failed', delivered: 0 } });
  }, 180_000);
});

describe('a fan-out of the largest frame', () => {
  it('arrives whole, although its job is four times as long', async () => {
    const stack = await startSmall();
    const clients = [];
    for (const user of ['a', 'b', 'c']) clients.push(await stack.connect({ user }));
    const content = '"'.repeat(65_000);
    expect(await stack.publish({ to: 'everyone', type: 'x', content })).toMatchObject({ status: 202 });
    for (const client of clients) expect(await client.next()).toMatchObject({ content });
  }, 60_000);
});

describe('a callback endpoint of another API', () => {
  it('answers 410 for every connection, which deletes no session', async () => {
    const endpoint = createServer((_request, response) => response.writeHead(410).end()).listen(
      0,
      '127.0.0.1',
    );
    await once(endpoint, 'listening');
    ends.push(async () => {
      endpoint.close();
      endpoint.closeAllConnections();
      await once(endpoint, 'close');
    });
    const address = endpoint.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const stack = await startSmall((template) => {
      setVariable(template, 'CALLBACK_ENDPOINT', `http://127.0.0.1:${String(port)}/other`);
    });
    await stack.connect({ user: 'a' });
    await stack.connect({ user: 'b' });
    for (const user of ['a', 'b']) await makeOld(stack, user);
    expect(await stack.publish({ to: 'type:member', type: 'x', content: 1 })).toMatchObject({
      status: 200,
      body: { delivered: 0, gone: 2, failed: 0 },
    });
    expect((await stack.call('GET', '/sessions?userType=member')).body).toMatchObject({ sessions: [{}, {}] });
  });
});

/** Makes a session five minutes older, because a 410 never deletes a session in its first minute. */
async function makeOld(stack: Stack, user: string): Promise<void> {
  const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
  const { connectionId } = (body as { sessions: [{ connectionId: string }] }).sessions[0];
  const update = {
    Key: { pk: userKey({ tenant: 'default', userType: 'member', userId: user }), sk: connectionId },
    UpdateExpression: 'SET connectedAt = connectedAt - :ms',
    ExpressionAttributeValues: { ':ms': 300_000 },
  };
  await onTable(stack, 'Sessions', (db, TableName) => db.send(new UpdateCommand({ TableName, ...update })));
}
