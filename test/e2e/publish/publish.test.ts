import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import { startStack, type Stack } from '../stack.ts';

const run = promisify(execFile);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** The three ways to publish. Each resolves to the answer. */
const ways: Record<string, (body: Record<string, unknown>) => Promise<Record<string, unknown>>> = {
  async 'npm run publish'({ to, type, content }) {
    const args = ['run', '--silent', 'publish', '--', '--to', String(to), '--type', String(type)];
    args.push('--content', JSON.stringify(content), '--endpoint', `${stack.url}/publish`);
    return read((await run('npm', args)).stdout);
  },
  async 'curl --aws-sigv4'(body) {
    const signing = ['--aws-sigv4', 'aws:amz:us-east-1:execute-api', '--user', 'local:local'];
    const args = ['-s', ...signing, '-H', 'content-type: application/json', '-d', JSON.stringify(body)];
    return read((await run('curl', [...args, `${stack.url}/publish`])).stdout);
  },
  async '@aws-sdk/client-lambda'(body) {
    const client = new LambdaClient({ endpoint: stack.url, region: localRegion, credentials: localKeys });
    const FunctionName = stack.cloud.deployment.outputs.get('PublishFunctionName') ?? '';
    const { Payload } = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(body) }));
    client.destroy();
    return read(Buffer.from(Payload ?? []).toString());
  },
};

function read(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

describe.each(Object.entries(ways))('%s', (_way, publish) => {
  it('delivers to a session, a user on two devices, a type and everyone', async () => {
    const [phone, laptop] = [await stack.connect({ user: 'two' }), await stack.connect({ user: 'two' })];
    const other = await stack.connect({ user: 'other' });
    const admin = await stack.connect({ user: 'two', type: 'admin' });
    const { body } = await stack.call('GET', '/sessions?userType=admin&userId=two');
    const { connectionId } = (body as { sessions: [{ connectionId: string }] }).sessions[0];

    const targets = {
      [`session:${connectionId}`]: [admin],
      'user:member:two': [phone, laptop],
      'type:member': [phone, laptop, other],
      everyone: [phone, laptop, other, admin],
    };
    for (const [to, receivers] of Object.entries(targets)) {
      const content = { for: to };
      const answer = await publish({ to, type: 'notice-push', content });
      expect(answer).toEqual({
        messageId: expect.any(String) as string,
        status: 'delivered',
        delivered: receivers.length,
        gone: 0,
        failed: 0,
      });
      for (const client of receivers) {
        const { messageId } = answer;
        expect(await client.next()).toEqual({ type: 'notice-push', content, messageId });
      }
    }
    for (const client of [phone, laptop, other, admin]) await client.expectSilence();
    for (const client of [phone, laptop, other, admin]) await client.close();
    await expect
      .poll(() => stack.call('GET', '/sessions?userType=member'))
      .toMatchObject({ body: { sessions: [] } });
    await expect
      .poll(() => stack.call('GET', '/sessions?userType=admin'))
      .toMatchObject({ body: { sessions: [] } });
  });
});

describe('tenants', () => {
  it('are isolated: the same user id in another tenant gets no message', async () => {
    const ours = await stack.connect({ user: 'same', tenant: 'acme' });
    const theirs = await stack.connect({ user: 'same', tenant: 'globex' });
    const { body } = await stack.call('GET', '/sessions?userType=member&tenant=globex');
    const { connectionId } = (body as { sessions: [{ connectionId: string }] }).sessions[0];
    for (const to of ['user:member:same', 'type:member', 'everyone']) {
      expect((await stack.publish({ to, tenant: 'acme', type: 'x', content: 1 })).body).toMatchObject({
        delivered: 1,
      });
      expect(await ours.next()).toMatchObject({ type: 'x' });
    }
    const foreign = await stack.publish({
      to: `session:${connectionId}`,
      tenant: 'acme',
      type: 'x',
      content: 1,
    });
    expect(foreign).toMatchObject({ status: 200, body: { delivered: 0, gone: 0, failed: 0 } });
    await theirs.expectSilence();
  });
});

describe('a publish', () => {
  it('to an offline user is answered with 200 and no deliveries', async () => {
    expect(await stack.publish({ to: 'user:member:nobody', type: 'x', content: null })).toMatchObject({
      status: 200,
      body: { status: 'delivered', delivered: 0, gone: 0, failed: 0 },
    });
  });

  it('to overlapping targets reaches a session once, and skips an excluded session', async () => {
    const one = await stack.connect({ user: 'once' });
    const two = await stack.connect({ user: 'excluded' });
    const { body } = await stack.call('GET', '/sessions?userType=member&userId=excluded');
    const { connectionId } = (body as { sessions: [{ connectionId: string }] }).sessions[0];
    const to = [
      'user:member:once',
      'user:member:excluded',
      'everyone',
      'type:member',
      `session:${connectionId}`,
    ];
    const { body: answer } = await stack.publish({ to, type: 'x', content: 1, exclude: [connectionId] });
    expect(answer).toMatchObject({ gone: 0, failed: 0 });
    expect(await one.next()).toMatchObject({ type: 'x', content: 1 });
    await one.expectSilence();
    await two.expectSilence();
  });

  it('with the same messageId is sent once and answered alike, and with another body is a conflict', async () => {
    const client = await stack.connect({ user: 'idempotent' });
    const request = {
      to: 'user:member:idempotent',
      type: 'x',
      content: { a: 1, b: 2 },
      messageId: randomUUID(),
    };
    const answers = await Promise.all([1, 2, 3, 4].map(() => stack.publish(request)));
    const [first] = answers;
    expect(first).toMatchObject({ status: 200, body: { messageId: request.messageId, delivered: 1 } });
    expect(answers).toEqual([first, first, first, first]);
    expect(await stack.publish({ ...request, content: { b: 2, a: 1 } })).toEqual(first);
    expect(await stack.publish({ ...request, content: 'other' })).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict', details: [{ field: 'messageId' }] } },
    });
    expect(await client.next()).toMatchObject({ messageId: request.messageId });
    await client.expectSilence();
    const { body } = await stack.call('GET', `/publications/${request.messageId}`);
    expect(body).toMatchObject({
      messageId: request.messageId,
      status: 'done',
      delivered: 1,
      pending: 0,
      shards: [],
    });
  });

  it('without a messageId or a report keeps no record', async () => {
    const { body } = await stack.publish({ to: 'everyone', type: 'x', content: 1 });
    const { messageId } = body as { messageId: string };
    expect((await stack.call('GET', `/publications/${messageId}`)).status).toBe(404);
  });
});

describe('sessions', () => {
  it('are listed with all fields by id, by user and by type', async () => {
    await stack.connect({ user: 'seen', type: 'shown' });
    const { body } = await stack.call('GET', '/sessions?userType=shown&userId=seen');
    const [session] = (body as { sessions: [{ connectionId: string }] }).sessions;
    expect(session).toEqual({
      connectionId: expect.any(String) as string,
      tenant: 'default',
      userType: 'shown',
      userId: 'seen',
      connectedAt: expect.any(Number) as number,
      tokenExpiresAt: expect.any(Number) as number,
      topics: [],
      sourceIp: '127.0.0.1',
      userAgent: expect.any(String) as string,
    });
    expect((await stack.call('GET', '/sessions?userType=shown')).body).toEqual({ sessions: [session] });
    const byId = await stack.call('GET', `/sessions/${encodeURIComponent(session.connectionId)}`);
    expect(byId).toEqual({ status: 200, body: session });
  });

  it('get a closing frame before they are closed, and are then not found', async () => {
    const clients = [await stack.connect({ user: 'kick' }), await stack.connect({ user: 'kick' })];
    const ends = clients.map((client) => client.closed());
    const answer = await stack.call('DELETE', '/sessions?userType=member&userId=kick');
    expect(answer).toEqual({ status: 200, body: { closed: 2 } });
    for (const client of clients) {
      expect(await client.next()).toEqual({
        type: 'closing',
        content: { code: 'kicked', message: expect.any(String) as string, retry: false },
      });
    }
    expect((await Promise.all(ends)).map(({ code }) => code)).toEqual([1000, 1000]);
    expect((await stack.publish({ to: 'user:member:kick', type: 'x', content: 1 })).body).toMatchObject({
      delivered: 0,
      gone: 0,
    });
  });

  it('are closed by id, and an unknown id is answered with 404', async () => {
    const client = await stack.connect({ user: 'by-id' });
    const closed = client.closed();
    const { body } = await stack.call('GET', '/sessions?userType=member&userId=by-id');
    const { connectionId } = (body as { sessions: [{ connectionId: string }] }).sessions[0];
    const path = `/sessions/${encodeURIComponent(connectionId)}`;
    expect(await stack.call('DELETE', path)).toEqual({ status: 200, body: { closed: 1 } });
    await closed;
    expect((await stack.call('GET', path)).status).toBe(404);
    expect((await stack.call('DELETE', path)).status).toBe(404);
  });
});
