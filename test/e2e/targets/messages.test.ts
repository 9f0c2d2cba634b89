import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { VerifiedToken } from '../../../core/auth/verified-token.ts';
import { json, useEndpoint } from '../../core/targets/endpoint.ts';
import { Client } from '../client.ts';
import type { Stack } from '../stack.ts';
import { addressWithTicket } from '../stored-ticket.ts';
import { startStackWithTargets } from './stack-with-targets.ts';
import { signToken, stackSecret } from '../stack.ts';

const endpoint = useEndpoint();
let stack: Stack;
beforeAll(async () => {
  stack = await startStackWithTargets(endpoint.url);
});
afterAll(() => stack.close());

const from = { tenant: 'default', userType: 'member', userId: '42' };
const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) as unknown;
const epochMs = expect.any(Number) as unknown;

async function connect() {
  return stack.connect({ user: '42', topics: ['orders.*'] });
}

async function post(frame: object): Promise<{ status: number; body: unknown }> {
  const token = await signToken({
    user: '42',
    type: 'member',
    tenant: 'default',
    topics: [],
    ttlSeconds: 60,
  });
  const response = await fetch(`${stack.url}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(frame),
  });
  return { status: response.status, body: await response.json() };
}

describe('a function as a target', () => {
  it('answers a frame, and gets the object of docs/targets.md', async () => {
    const client = await connect();
    expect(await client.ask({ type: 'order-create', id: '1', content: { sku: 'für' } })).toEqual({
      type: 'ack',
      id: '1',
      content: {
        kind: 'message',
        messageId: uuid,
        type: 'order-create',
        content: { sku: 'für' },
        from,
        session: {
          connectionId: expect.any(String) as unknown,
          connectedAt: epochMs,
          tokenExpiresAt: epochMs,
        },
        topics: ['orders.*'],
        sentAt: epochMs,
      },
    });
  });

  it('answers POST /messages', async () => {
    expect(await post({ type: 'order-create', id: '1' })).toMatchObject({
      status: 200,
      body: { type: 'ack', content: { from, session: null, content: null } },
    });
  });

  it.each([
    ['bad_content', 400],
    ['forbidden', 403],
    ['not_found', 404],
    ['conflict', 409],
    ['rate_limited', 429],
  ])('may refuse with %s, in its own words: a frame, and POST /messages with %d', async (code, status) => {
    const error = { code, message: 'In its own words.' };
    const client = await connect();
    expect(await client.ask({ type: 'order-error', id: '1', content: code })).toEqual({
      type: 'error',
      id: '1',
      content: { ...error, requestType: 'order-error' },
    });
    expect(await post({ type: 'order-error', content: code })).toEqual({ status, body: { error } });
  });

  it.each(['internal', 'token_expired', 'unknown_type', 'my_own'])(
    'may not refuse with %s: the client gets internal',
    async (code) => {
      const client = await connect();
      const answer = await client.ask({ type: 'order-error', id: '1', content: code });
      expect(answer).toMatchObject({ type: 'error', content: { code: 'internal' } });
      expect(JSON.stringify(answer)).not.toContain('In its own words.');
    },
  );

  it('does not get a type that a listener in code has', async () => {
    const client = await connect();
    const ack = { type: 'ack', id: '1', content: 'from the listener' };
    expect(await client.ask({ type: 'order-in-code', id: '1' })).toEqual(ack);
  });

  it('answers with null, or with an error in its own words', async () => {
    const client = await connect();
    expect(await client.ask({ type: 'order-null', id: '1' })).toEqual({
      type: 'ack',
      id: '1',
      content: null,
    });
    expect(await client.ask({ type: 'order-refuse', id: '2' })).toMatchObject({
      type: 'error',
      id: '2',
      content: { code: 'not_found', message: 'There is no such order.' },
    });
  });

  it.each([
    ['order-throw', 'swordfish'],
    ['slow', 'There was no answer within 300 ms.'],
  ])(
    'that fails on %s is internal to the client; the log names the target and says why',
    async (type, why) => {
      const client = await connect();
      const answer = await client.ask({ type, id: '1' });
      expect(answer).toMatchObject({ type: 'error', id: '1', content: { code: 'internal' } });
      expect(JSON.stringify(answer)).not.toContain(why);
      const pattern = type === 'slow' ? 'slow' : 'order-*';
      const logged = () => stack.lines.join('\n');
      await expect.poll(logged).toContain(`The target ${pattern} (arn:aws:lambda:`);
      expect(logged()).toContain(why);
    },
  );
});

describe('an endpoint as a target', () => {
  it('answers a frame. standardwebhooks verifies the post, and detects a broken signature', async () => {
    endpoint.respond = json({ content: { id: 7 } });
    const client = await connect();
    const answer = { type: 'ack', id: '1', content: { id: 7 } };
    expect(await client.ask({ type: 'crm-find', id: '1', content: { name: 'für' } })).toEqual(answer);
    const { body, headers } = await endpoint.requests.next(({ path }) => path === '/crm');
    const webhook = new Webhook(stackSecret);
    const given = headers as Record<string, string>;
    expect(webhook.verify(body, given)).toMatchObject({
      kind: 'message',
      type: 'crm-find',
      content: { name: 'für' },
    });
    expect(() => webhook.verify(body.replace('für', 'x'), given)).toThrow('No matching signature found');
  });

  it('answers with 204, or with an error in its own words', async () => {
    const client = await connect();
    expect(await client.ask({ type: 'crm-find', id: '1' })).toEqual({ type: 'ack', id: '1', content: null });
    endpoint.respond = json({ error: { code: 'conflict', message: 'taken' } });
    const error = { type: 'error', content: { code: 'conflict', message: 'taken' } };
    expect(await client.ask({ type: 'crm-find', id: '2' })).toMatchObject(error);
  });

  it.each([
    ['status 500', json({ error: { code: 'conflict', message: 'swordfish' } }, 500), 'status 500'],
    ['a redirect', json({}, 307, { location: '/elsewhere' }), 'status 307'],
    ['silence', () => undefined, 'There was no answer within 2000 ms.'],
  ])('that answers with %s is internal to the client; the log says why', async (_name, respond, why) => {
    endpoint.respond = respond;
    const client = await connect();
    const answer = await client.ask({ type: 'crm-find', id: '1' });
    expect(answer).toMatchObject({ type: 'error', content: { code: 'internal' } });
    expect(JSON.stringify(answer)).not.toContain('swordfish');
    await expect.poll(() => stack.lines.join('\n')).toContain(why);
    expect(endpoint.requests.values.map(({ path }) => path)).not.toContain('/elsewhere');
  });
});

it('a type that no pattern matches is still unknown', async () => {
  const client = await connect();
  expect(await client.ask({ type: 'other', id: '1' })).toMatchObject({ content: { code: 'unknown_type' } });
});

describe('the rights and claims of a token', () => {
  const open = async (token: Partial<VerifiedToken>) => {
    const client = await Client.open(await addressWithTicket(stack, token));
    onTestFinished(() => client.close());
    return client;
  };
  const code = (name: string) => ({ type: 'error', content: { code: name } });

  it('limit which listeners and targets a frame reaches, and no type of the protocol', async () => {
    const client = await open({ rights: { topics: [], send: ['order-c*', 'refund'], watch: [] } });
    expect(await client.ask({ type: 'order-create', id: '1' })).toMatchObject({ type: 'ack' });
    expect(await client.ask({ type: 'order-in-code', id: '2' })).toMatchObject(code('forbidden'));
    expect(await client.ask({ type: 'crm-find', id: '3' })).toMatchObject({
      content: { code: 'forbidden', message: 'type: the token does not allow "crm-find"' },
    });
    expect(await client.ask({ type: 'inbox-unread', id: '4' })).toMatchObject({ type: 'ack' });
  });

  it('reach a listener that requires them, and not who receives its messages', async () => {
    const claims = { role: '["member","owner"]' };
    const client = await open({ claims });
    client.send({ type: 'refund', id: '1' });
    const frames = [await client.next(), await client.next()];
    expect(frames.find(({ type }) => type === 'ack')).toMatchObject({ content: claims });
    expect(frames.find(({ type }) => type === 'refunded')).toMatchObject({ from });
    expect(frames.find(({ type }) => type === 'refunded')?.['from']).toEqual(from);
    const other = await open({ claims: { role: 'member' } });
    expect(await other.ask({ type: 'refund', id: '1' })).toMatchObject(code('forbidden'));
  });

  it('reach a target in from.claims', async () => {
    const client = await open({ claims: { role: 'admin' } });
    expect(await client.ask({ type: 'order-create', id: '1' })).toMatchObject({
      content: { from: { ...from, claims: { role: 'admin' } } },
    });
  });
});
