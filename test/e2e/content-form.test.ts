import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesise } from '../../scripts/synthesise.ts';
import { Client, type Frame } from './client.ts';
import { type Stack, stackSecret, startStack } from './stack.ts';

const root = path.join(import.meta.dirname, '../..');
const code = `
import { defineListener, Refusal } from 'switchboard/listener';
import * as z from 'zod';

const target = z.object({ to: z.string(), durable: z.boolean().optional() });
export default [
  defineListener({
    type: 'say',
    content: target,
    handle: ({ content: { to, durable }, send }) => send(to, 'said', { a: 1 }, { durable }),
  }),
  defineListener({
    type: 'answer',
    content: z.object({}),
    handle: async ({ reply }) => {
      await reply('answered', { a: 1 });
      return { a: 1 };
    },
  }),
  defineListener({
    type: 'refuse',
    content: z.object({}),
    handle: () => {
      throw new Refusal('conflict', 'sold out');
    },
  }),
];
`;

/** Three sessions are an audience that a publish sends to itself; four are one for the fan-out. */
const inlineLimit = 3;

let stack: Stack;
beforeAll(async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-form-'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
  mkdirSync(path.join(folder, 'lib'));
  const listeners = path.join(folder, 'lib/listeners.ts');
  writeFileSync(listeners, code);
  const assembly = path.join(folder, 'cdk.out');
  await synthesise(assembly, { context: { listeners, inlineLimit, textContentFor: 'legacy' } });
  stack = await startStack({ assembly });
});
afterAll(async () => {
  for (const { socket } of clients) socket.terminate();
  await stack.close();
});

type Form = 'none' | 'text' | 'json';
const forms: readonly Form[] = ['none', 'text', 'json'];
const object = { a: 1 };
const asText = '{"a":1}';

let users = 0;
const clients: Client[] = [];
/** A user of its own for each connection, so that nothing else arrives there. */
async function open(form: Form, userType = 'member', ttlSeconds = 3600) {
  const id = `u${String((users += 1))}`;
  const token = await new SignJWT({
    ...{ sub: id, userType, topics: ['*'], exp: Math.floor(Date.now() / 1000) + ttlSeconds },
    ...(form !== 'none' && { contentAs: form }),
  })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(stackSecret));
  const client = await Client.open(`${stack.url.replace('http', 'ws')}/live?token=${token}`);
  clients.push(client);
  return { id, client };
}

const contentOf = ({ content }: Frame) => content;

/** The content of an answer as the page of an old front end reads it: JSON in JSON, or JSON. */
const read = (content: unknown) => (typeof content === 'string' ? (JSON.parse(content) as unknown) : content);

async function connectionIdOf(id: string, type = 'member'): Promise<string> {
  const { body } = await stack.call('GET', `/sessions?userId=${id}&userType=${type}`);
  return (body as { sessions: { connectionId: string }[] }).sessions[0]?.connectionId ?? '';
}

/** Lets a user without a form send to a target, in this form of content. */
async function say(to: string, isText: boolean, durable?: boolean): Promise<void> {
  const { client } = await open('none');
  const content = { to, durable };
  const frame = { type: 'say', id: '1', content: isText ? JSON.stringify(content) : content };
  expect(await client.ask(frame)).toMatchObject({ type: 'ack' });
  await client.close();
}

interface Source {
  readonly source: string;
  /** Makes the server send. Resolves to the frame that the receiver got. */
  readonly make: (receiver: { id: string; client: Client }) => Promise<Frame>;
  /** What a session without a form gets. */
  readonly none: unknown;
  /** What a session with `contentAs: "text"` gets. */
  readonly text: unknown;
  readonly json: unknown;
}

const plain = { none: object, text: asText, json: object };
const written = { none: asText, text: asText, json: object };

async function kept({ id, client }: { id: string; client: Client }): Promise<Frame> {
  await client.next();
  const content = { channels: [{ channel: `user:member:${id}`, epoch: '', offset: 0 }] };
  client.send({ type: 'recover', id: 'r', content });
  const frames = [await client.next(), await client.next()];
  return frames.find(({ type }) => type !== 'ack') ?? {};
}

async function listed({ client }: { client: Client }): Promise<Frame> {
  await client.next();
  const { content } = await client.ask({ type: 'inbox-list', id: 'l', content: {} });
  const { messages } = read(content) as { messages: Frame[] };
  return messages[0] ?? {};
}

const sources: readonly Source[] = [
  {
    source: 'an object that a service publishes to a user',
    make: async ({ id, client }) => {
      await stack.publish({ to: `user:member:${id}`, type: 'n', content: object });
      return client.next();
    },
    ...plain,
  },
  {
    source: 'a string that a service publishes',
    make: async ({ id, client }) => {
      await stack.publish({ to: `user:member:${id}`, type: 'n', content: 'hi' });
      return client.next();
    },
    ...{ none: 'hi', text: 'hi', json: 'hi' },
  },
  {
    source: 'an object that a service publishes to the session',
    make: async ({ id, client }) => {
      await stack.publish({ to: `session:${await connectionIdOf(id)}`, type: 'n', content: object });
      return client.next();
    },
    ...plain,
  },
  {
    source: 'an object that a service publishes to a topic',
    make: async ({ id, client }) => {
      await client.ask({ type: 'subscribe', id: 's', content: { topic: `t.${id}` } });
      await stack.publish({ to: `topic:t.${id}`, type: 'n', content: object });
      return client.next();
    },
    ...plain,
  },
  {
    source: 'a message of a client that writes objects',
    make: async ({ id, client }) => {
      await say(`user:member:${id}`, false);
      return client.next();
    },
    ...plain,
  },
  {
    source: 'a message of a client that writes JSON text',
    make: async ({ id, client }) => {
      await say(`user:member:${id}`, true);
      return client.next();
    },
    ...written,
  },
  {
    source: 'a reply to a frame with an object',
    make: async ({ client }) => {
      client.send({ type: 'answer', content: {} });
      return client.next();
    },
    ...plain,
  },
  {
    source: 'a reply to a frame with JSON text',
    make: async ({ client }) => {
      client.send({ type: 'answer', content: '{}' });
      return client.next();
    },
    ...written,
  },
  {
    source: 'an ack of a frame with an object',
    make: async ({ client }) => {
      client.send({ type: 'answer', id: '1', content: {} });
      const frames = [await client.next(), await client.next()];
      return frames.find(({ type }) => type === 'ack') ?? {};
    },
    ...plain,
  },
  {
    source: 'an ack of a frame with JSON text',
    make: async ({ client }) => {
      client.send({ type: 'answer', id: '1', content: '{}' });
      const frames = [await client.next(), await client.next()];
      return frames.find(({ type }) => type === 'ack') ?? {};
    },
    ...written,
  },
  {
    source: 'an error',
    make: ({ client }) => client.ask({ type: 'refuse', id: '1', content: '{}' }),
    none: { code: 'conflict', message: 'sold out', requestType: 'refuse' },
    text: '{"code":"conflict","message":"sold out","requestType":"refuse"}',
    json: { code: 'conflict', message: 'sold out', requestType: 'refuse' },
  },
  {
    source: 'a pong',
    make: ({ client }) => client.ask({ type: 'ping', id: '1' }),
    ...{ none: null, text: 'null', json: null },
  },
  {
    source: 'closing',
    make: async ({ id, client }) => {
      await stack.call('DELETE', `/sessions?userId=${id}&userType=member`);
      return client.next();
    },
    none: { code: 'kicked', message: 'The session was ended by the service.', retry: false },
    text: '{"code":"kicked","message":"The session was ended by the service.","retry":false}',
    json: { code: 'kicked', message: 'The session was ended by the service.', retry: false },
  },
  {
    source: 'closing of one connection',
    make: async ({ id, client }) => {
      await stack.call('DELETE', `/sessions/${encodeURIComponent(await connectionIdOf(id))}`);
      return client.next();
    },
    none: expect.objectContaining({ code: 'kicked' }) as unknown,
    text: expect.stringContaining('"code":"kicked"') as unknown,
    json: expect.objectContaining({ code: 'kicked' }) as unknown,
  },
  {
    source: 'a recovered message of a service',
    make: async (receiver) => {
      const to = `user:member:${receiver.id}`;
      await stack.publish({ to, type: 'n', content: object, durable: true });
      return kept(receiver);
    },
    ...plain,
  },
  {
    source: 'a recovered message of a client that writes JSON text',
    make: async (receiver) => {
      await say(`user:member:${receiver.id}`, true, true);
      return kept(receiver);
    },
    ...written,
  },
  {
    source: 'a message of a service in the inbox',
    make: async (receiver) => {
      const to = `user:member:${receiver.id}`;
      await stack.publish({ to, type: 'n', content: object, durable: true });
      return listed(receiver);
    },
    ...plain,
  },
  {
    source: 'a message of a client that writes JSON text in the inbox',
    make: async (receiver) => {
      await say(`user:member:${receiver.id}`, true, true);
      return listed(receiver);
    },
    ...written,
  },
];

describe.each(forms)('a session whose token says %s about the form of content', (form) => {
  it.each(sources)('gets its form of $source', async ({ make, ...expected }) => {
    const receiver = await open(form);
    expect(contentOf(await make(receiver))).toEqual(expected[form]);
  });
});

describe('a fan-out', () => {
  it.each([
    ['a service', undefined, plain],
    ['a client that writes objects', false, plain],
    ['a client that writes JSON text', true, written],
  ])('of a message of %s gives each session its form', async (_what, isText, expected) => {
    const type = `crowd${String((users += 1))}`;
    const receivers = [];
    for (const form of [...forms, ...forms]) receivers.push({ form, ...(await open(form, type)) });
    if (isText === undefined) {
      const { status } = await stack.publish({ to: `type:${type}`, type: 'n', content: object });
      expect(status).toBe(202);
    } else await say(`type:${type}`, isText);
    for (const { form, client } of receivers) expect(contentOf(await client.next())).toEqual(expected[form]);
  });
});

describe('a session of a type in textContentFor', () => {
  it('gets JSON text, unless its token says json', async () => {
    const legacy = await open('none', 'legacy');
    const modern = await open('json', 'legacy');
    for (const { id } of [legacy, modern]) {
      await stack.publish({ to: `user:legacy:${id}`, type: 'n', content: object });
    }
    expect(contentOf(await legacy.client.next())).toBe(asText);
    expect(contentOf(await modern.client.next())).toEqual(object);
  });

  it('that writes JSON text sends objects to sessions without a form', async () => {
    const receiver = await open('none');
    const legacy = await open('none', 'legacy');
    const content = JSON.stringify({ to: `user:member:${receiver.id}` });
    await legacy.client.ask({ type: 'say', id: '1', content });
    expect(contentOf(await receiver.client.next())).toEqual(object);
  });

  it('keeps its form with a ticket', async () => {
    const url = new URL(await stack.webSocketUrl({ user: 'by-ticket', type: 'legacy' }));
    const bearer = `Bearer ${url.searchParams.get('token') ?? ''}`;
    const answer = await fetch(`${stack.url}/tickets`, {
      method: 'POST',
      headers: { authorization: bearer },
    });
    const { ticket } = (await answer.json()) as { ticket: string };
    url.searchParams.set('token', ticket);
    const client = await Client.open(url.href);
    expect(contentOf(await client.ask({ type: 'ping', id: '1' }))).toBe('null');
    await client.close();
  });

  it('gets the ack of POST /messages as JSON text too', async () => {
    const url = new URL(await stack.webSocketUrl({ user: 'poster', type: 'legacy' }));
    const response = await fetch(`${stack.url}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${url.searchParams.get('token') ?? ''}` },
      body: JSON.stringify({ type: 'answer', id: '1', content: {} }),
    });
    expect(await response.json()).toEqual({ type: 'ack', id: '1', content: asText });
  });

  it('gets closing as JSON text when its token expires', async () => {
    const { client } = await open('none', 'legacy', 2);
    expect(contentOf(await client.next())).toContain('"code":"token_expired"');
  });
});
