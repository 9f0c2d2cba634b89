import { request } from 'node:http';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, refusalStatus } from './client.ts';
import { signToken, stackSecret, type Stack, startStack } from './stack.ts';

// What a page of another site can do through the browser of a developer who runs the stack.
let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const evil = 'https://evil.example';
const member = { type: 'member', tenant: 'default', topics: [], ttlSeconds: 600 };

/** Sends a request that is rightly signed for the host `evil.com`, which the page has rebound to 127.0.0.1. */
async function sendRebound(service: string, method: string, path: string, body = '', target?: string) {
  const keys = { accessKeyId: 'local', secretAccessKey: 'local' };
  const signer = new SignatureV4({ service, region: 'us-east-1', credentials: keys, sha256: Sha256 });
  const { headers } = await signer.sign({
    method,
    protocol: 'http:',
    hostname: 'evil.com',
    path,
    headers: { host: 'evil.com', ...(target !== undefined && { 'x-amz-target': target }) },
    ...(body !== '' && { body }),
  });
  return new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    request(`${stack.url}${path}`, { method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        resolve({ status: response.statusCode, body: text });
      });
    })
      .on('error', reject)
      .end(body);
  });
}

describe('a page of another site', () => {
  it('opens no connection, even with a token', async () => {
    const url = await stack.webSocketUrl({ user: 'victim' });
    expect(await refusalStatus(url, { headers: { origin: evil } })).toBe(403);
    expect(await refusalStatus(url, { headers: { origin: 'null' } })).toBe(403);
    expect(await refusalStatus(url, { headers: { host: 'evil.com' } })).toBe(403);
    const client = await Client.open(url, { headers: { origin: 'http://localhost:5173' } });
    await client.close();
  });

  it('sends no message over HTTP, even with a token, and may read no answer', async () => {
    const token = await signToken({ user: 'victim', ...member });
    const response = await fetch(`${stack.url}/messages`, {
      method: 'POST',
      headers: { origin: evil, authorization: `Bearer ${token}` },
      body: '{"type":"ping"}',
    });
    expect(response.status).toBe(403);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    ['publish', ['execute-api', 'POST', '/publish', '{"to":"everyone","type":"x"}']],
    ['read sessions', ['execute-api', 'GET', '/sessions?userType=member&userId=1']],
    ['list tables', ['dynamodb', 'POST', '/', '{}', 'DynamoDB_20120810.ListTables']],
    ['list queues', ['sqs', 'POST', '/', '{}', 'AmazonSQS.ListQueues']],
    ['read a secret', ['secretsmanager', 'POST', '/', '{}', 'secretsmanager.GetSecretValue']],
    ['call a function', ['lambda', 'POST', '/2015-03-31/functions/x/invocations', '{}']],
    ['post to a connection', ['execute-api', 'POST', '/live/@connections/x=', '{}']],
    ['read the page', ['execute-api', 'GET', '/']],
    ['read the log', ['execute-api', 'GET', '/_local/log']],
  ] as const)('cannot %s after DNS rebinding, with a right signature', async (_what, call) => {
    const [service, method, path, body, target] = call;
    expect(await sendRebound(service, method, path, body, target)).toEqual({
      status: 403,
      body: JSON.stringify({ message: 'The header Host must name this machine, such as 127.0.0.1.' }),
    });
  });
});

describe('a token', () => {
  it('of one start is refused by another', async () => {
    const other = await startStack({ secret: 'other'.repeat(13).slice(0, 64) });
    try {
      expect(other.cloud.secret).not.toBe(stackSecret);
      const token = await signToken({ user: '1', ...member });
      const live = (url: string) => `${url.replace('http', 'ws')}/live?token=${token}`;
      expect(await refusalStatus(live(other.url))).toBe(403);
      const client = await Client.open(live(stack.url));
      await client.close();
    } finally {
      await other.close();
    }
  });
});
