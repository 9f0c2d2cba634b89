import { randomUUID } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import { useEndpoint } from '../../core/targets/endpoint.ts';
import { Client, refusalStatus } from '../client.ts';
import { type Stack, stackSecret } from '../stack.ts';
import { useEverything } from './features.ts';
import { addressOf, ticketOf } from './handshakes-and-ends.ts';
import { queueUrl, tokenOf } from './use.ts';
import { startWholeStack } from './whole-stack.ts';

/** Letters and digits, so that it looks the same in JSON, in a URL and in a quoted message. */
const text = 'swordfish7261';

const endpoint = useEndpoint();
let stack: Stack;
const written: string[] = [];
beforeAll(async () => {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    vi.spyOn(stream, 'write').mockImplementation((chunk, ...rest) => {
      written.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      return write(chunk, ...(rest as []));
    });
  }
  stack = await startWholeStack(endpoint.url);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await stack.close();
});

/** Every line that the stack wrote, with the text of the answers of `/_local/log`. */
async function everyLine(): Promise<readonly string[]> {
  const kept = await (await fetch(`${stack.url}/_local/log`)).text();
  return [...stack.lines, ...written, kept];
}

const tokens: string[] = [];
const tickets: string[] = [];
async function token(...user: Parameters<typeof tokenOf>): Promise<string> {
  const made = await tokenOf(...user);
  tokens.push(made);
  return made;
}

/** Waits until the function has logged the failure that a step causes. */
async function logged(part: string): Promise<void> {
  await expect.poll(() => stack.lines.some((line) => line.includes(part)), { timeout: 30_000 }).toBe(true);
}

async function refuseHandshakes(): Promise<void> {
  const good = await token({ user: 'door' });
  const [header = '', payload = ''] = good.split('.');
  const forged = [
    await token({ user: 'door', ttlSeconds: -10 }),
    await token({ user: 'not allowed!' }),
    `${header}.${payload}.${Buffer.from(text.repeat(3)).toString('base64url')}`,
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
    `${text}.${text}.${text}`,
    text,
  ];
  tokens.push(...forged.slice(2));
  for (const bad of forged) {
    expect(await refusalStatus(`${stack.url.replace('http', 'ws')}/live?token=${bad}`)).toBe(403);
    for (const authorization of [`Bearer ${bad}`, `Basic ${bad}`]) {
      const answer = await fetch(`${stack.url}/messages`, {
        method: 'POST',
        headers: { authorization },
        body: '{}',
      });
      expect(answer.status).toBe(403);
    }
    const client = await stack.connect({ user: 'door' });
    const refused = await client.ask({ type: 'refresh', id: '1', content: { token: bad } });
    expect(refused).toMatchObject({ type: 'error', content: { code: 'forbidden' } });
    await client.close();
  }
  // A client that builds its URL wrongly.
  await fetch(`${stack.url}/live/${good}`);
  expect(await refusalStatus(`${stack.url.replace('http', 'ws')}/${good}`)).toBe(403);
}

/** Tickets that open a connection, and that are refused at each door. */
async function useAndRefuseTickets(): Promise<void> {
  const bearer = await token({ user: 'door' });
  const ticket = await ticketOf(stack, bearer);
  tickets.push(ticket);
  const address = addressOf(stack, ticket);
  const origin = 'https://evil.example';
  expect(await refusalStatus(address, { origin })).toBe(403);
  for (const path of ['/messages', '/tickets']) {
    const headers = { authorization: `Bearer ${ticket}` };
    expect((await fetch(stack.url + path, { method: 'POST', headers, body: '{}' })).status).toBe(403);
  }
  const client = await Client.open(address);
  const refresh = { type: 'refresh', id: '1', content: { token: ticket } };
  expect(await client.ask(refresh)).toMatchObject({ content: { code: 'forbidden' } });
  expect(await client.ask({ type: ticket, id: '1', content: 1 })).toMatchObject({ type: 'error' });
  await client.close();
  expect(await refusalStatus(address)).toBe(403);
  // Clients that build their URL wrongly.
  await fetch(`${stack.url}/live/${ticket}`);
  expect(await refusalStatus(`${stack.url.replace('http', 'ws')}/${ticket}`)).toBe(403);
  for (const name of ['ticket', 'jwt', encodeURIComponent(ticket)]) {
    const query = `${name}=${ticket}&access_token=${bearer}`;
    expect(await refusalStatus(`${stack.url.replace('http', 'ws')}/live?${query}`)).toBe(401);
    await fetch(`${stack.url}/tickets?${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}` },
    });
  }
  const asBody = { method: 'POST', headers: { authorization: `Bearer ${bearer}` }, body: ticket };
  expect((await fetch(`${stack.url}/tickets`, asBody)).status).toBe(400);
}

/** The doors that refuse a revoked token. */
async function refuseRevoked(): Promise<void> {
  const old = await token({ user: 'thrown' });
  const ticket = await ticketOf(stack, old);
  tickets.push(ticket);
  await stack.call('DELETE', '/sessions?userType=member&userId=thrown&revokeTokens=true');
  for (const each of [old, ticket]) expect(await refusalStatus(addressOf(stack, each))).toBe(403);
  for (const path of ['/messages', '/tickets']) {
    const headers = { authorization: `Bearer ${old}` };
    expect((await fetch(stack.url + path, { method: 'POST', headers, body: '{}' })).status).toBe(403);
  }
  await logged('token was revoked');
}

async function refuseFrames(client: Client): Promise<void> {
  const padded = text.repeat(100);
  const frames: readonly (readonly [string, unknown])[] = [
    ['bad_content', { type: 'echo', content: { text: padded } }],
    ['bad_content', { type: 'echo', content: { [text]: text, text: { text } } }],
    ['bad_content', { type: 'echo', content: text }],
    ['bad_content', { type: 'subscribe', content: { topic: `# ${text}` } }],
    ['forbidden', { type: 'recover', content: { channels: [{ channel: `user:member:${text}` }] } }],
    ['bad_content', { type: 'tell', content: { to: [text], text: { text } } }],
    ['unknown_type', { type: 'nothing', content: { text } }],
    ['bad_frame', `{"type":"echo","content":{"text":"${text}`],
    ['bad_frame', text],
    ['bad_frame', { type: 'echo', id: padded, content: { text } }],
  ];
  for (const [code, frame] of frames)
    expect(await client.ask(frame)).toMatchObject({ type: 'error', content: { code } });
}

async function failToAnswer(client: Client): Promise<void> {
  const content = { text };
  const fails = async (type: string, line: string): Promise<void> => {
    expect(await client.ask({ type, id: '1', content })).toMatchObject({ content: { code: 'internal' } });
    await logged(line);
  };
  await fails('fail', 'The listener has a bug.');
  await fails('order-fail', 'The target has a bug.');
  for (const answer of [text, `{"${text}":1}`, `{"error":{"code":"${text}","message":"${text}"}}`]) {
    const asked = endpoint.requests.next(({ path }) => path === '/crm');
    endpoint.respond = (response) => response.end(answer);
    await fails('crm-find', 'The target crm-* (127.0.0.1:');
    await asked;
  }
  endpoint.respond = (response) => response.writeHead(500).end(text);
  await fails('crm-find', 'status 500');
}

async function refuseRequests(): Promise<void> {
  const good = { to: 'everyone', type: 'x', content: { text } };
  const bodies: readonly (readonly [number, unknown])[] = [
    [400, { ...good, [text]: text }],
    [400, { ...good, to: text }],
    [400, { ...good, type: 'ack' }],
    [400, `{"content":"${text}`],
    [413, { ...good, content: text.repeat(11_000) }],
    [400, { ...good, durable: true, exclude: [text] }],
  ];
  for (const [status, body] of bodies)
    expect((await stack.call('POST', '/publish', body)).status).toBe(status);
  const messageId = randomUUID();
  await stack.publish({ ...good, messageId });
  expect(await stack.publish({ ...good, messageId, content: 1 })).toMatchObject({ status: 409 });
  const lambda = new LambdaClient({ endpoint: stack.url, region: localRegion, credentials: localKeys });
  const FunctionName = stack.cloud.deployment.outputs.get('PublishFunctionName');
  await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ content: text }) }));
  lambda.destroy();
  const unsigned = await fetch(`${stack.url}/publish`, { method: 'POST', body: JSON.stringify(good) });
  expect(unsigned.status).toBe(403);
}

/** Posts that fail, and messages in the queue of jobs that are no jobs. */
async function failDeliveries(): Promise<void> {
  const faults = (settings: object) =>
    fetch(`${stack.url}/_local/faults`, { method: 'PUT', body: JSON.stringify(settings) });
  await faults({ serverError: 1 });
  await stack.publish({ to: 'user:member:ada', type: 'x', content: { text } });
  await logged('posts failed');
  await faults({});
  const sqs = new SQSClient({ endpoint: stack.url, region: localRegion, credentials: localKeys });
  for (const MessageBody of [text, `{"${text}":"${text}"}`])
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(stack, 'Jobs'), MessageBody }));
  sqs.destroy();
  await expect
    .poll(() => stack.lines.filter((line) => line.includes('job failed')).length, { timeout: 30_000 })
    .toBeGreaterThan(2);
}

describe('the log of a stack at the level DEBUG', () => {
  it('has lines of every function', async () => {
    await useEverything({ stack, endpoint, text });
    await refuseHandshakes();
    await useAndRefuseTickets();
    await refuseRevoked();
    const client = await stack.connect({ user: 'frames', topics: ['*'] });
    await refuseFrames(client);
    await failToAnswer(client);
    await refuseRequests();
    await failDeliveries();
    await logged('handshake refused');
    await logged('request refused');
    await logged('refresh refused');
    await logged('lifecycle target failed');
  }, 180_000);

  it('has no content of any message', async () => {
    expect((await everyLine()).filter((line) => line.includes(text))).toEqual([]);
  });

  it('has no token, and no part of one', async () => {
    const parts = tokens.flatMap((each) => each.split('.')).filter((part) => part.length > 20);
    expect(parts.length).toBeGreaterThan(10);
    const lines = await everyLine();
    expect(lines.filter((line) => parts.some((part) => line.includes(part)))).toEqual([]);
    // Tokens of other clients, and any other JSON Web Token.
    expect(lines.filter((line) => /eyJ[\w-]{10}/.test(line))).toEqual([]);
  });

  it('has no ticket, and no hash of one', async () => {
    const random = tickets.map((ticket) => ticket.slice('swt_'.length));
    expect(random).toHaveLength(2);
    const lines = await everyLine();
    expect(lines.filter((line) => random.some((part) => line.includes(part)))).toEqual([]);
    // Tickets of other clients, and keys of rows.
    expect(lines.filter((line) => /swt_[\w-]{10}|TICKET#/.test(line))).toEqual([]);
  });

  it('has no secret and no signature', async () => {
    const secret = stackSecret;
    const isSecret = (line: string) =>
      line.includes(secret) || /Signature=[\da-f]{16}|v1,[\w+/]{40}|x-amz-security-token/i.test(line);
    expect((await everyLine()).filter(isSecret)).toEqual([]);
  });
});
