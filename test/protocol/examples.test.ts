import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  ackFrame,
  type ChannelPage,
  closingFrame,
  type Delivered,
  errorFrame,
  type MessageFrame,
  messageFrame,
  parseWith,
  pongFrame,
  type Publication,
  publishType,
  readClientFrame,
  readPublishRequest,
  type Recovery,
  Refusal,
  type Session,
  type Ticket,
} from '../../protocol/index.ts';
import { refusalOf } from './refusal-of.ts';

const folder = new URL('../../protocol/examples/', import.meta.url);

const epoch = '3c6f1b0a-8f5e-4f3b-9a37-6f2f4f1c9d10';
const member = { tenant: 'default', userType: 'member', userId: '1' };
const messageId = '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11';

const session: Session = {
  connectionId: 'R1kmxc2VNjMCFIA=',
  tenant: 'default',
  userType: 'member',
  userId: '42',
  connectedAt: Date.UTC(2026, 10, 20, 12),
  tokenExpiresAt: Date.UTC(2026, 10, 20, 13),
  topics: ['orders/eu'],
  sourceIp: '192.0.2.1',
  userAgent: 'Mozilla/5.0',
};
const durable = {
  type: 'notice-push',
  content: { title: 'hi' },
  messageId,
  channel: 'user:member:42',
  offset: 7,
  epoch,
} satisfies MessageFrame;
const recovered: readonly (Recovery & { channel: string })[] = [
  { channel: 'user:member:42', epoch, offset: 9, recovered: true, skipped: [8] },
  { channel: 'everyone', epoch: '', offset: 0, recovered: true },
];
const recoveredInAck: readonly (Recovery & { channel: string })[] = [
  { channel: 'user:member:42', epoch, offset: 7, recovered: true, more: true, messages: [durable] },
];
const kept: ChannelPage = { messages: [durable], epoch, head: 9, next: 7 };
const answer: Delivered = { messageId, status: 'delivered', delivered: 2, gone: 1, failed: 0 };
const ticket: Ticket = { ticket: 'swt_mq0rI0tV3rHnDW6UVxUsjZP4zQb0m1hX2vO4jB8kLwE', expiresIn: 30 };
const publication: Publication = {
  messageId,
  status: 'done',
  delivered: 2,
  gone: 1,
  failed: 0,
  pending: 0,
  shards: [],
  startedAt: Date.UTC(2026, 10, 20, 12),
  finishedAt: Date.UTC(2026, 10, 20, 12) + 250,
};

describe('the example of a client frame', () => {
  it.each([
    { name: 'frame-ping', frame: { type: 'ping', id: '1' } },
    {
      name: 'frame-demo-message-send',
      frame: { type: 'demo-message-send', id: '2', content: { text: 'hi', toUserId: 42 } },
    },
    {
      name: 'frame-demo-message-send-text',
      frame: { type: 'demo-message-send', content: '{"text":"hi","toUserId":""}' },
    },
    {
      name: 'frame-recover',
      frame: {
        type: 'recover',
        id: '3',
        content: {
          channels: [
            { channel: 'user', epoch, offset: 6 },
            { channel: 'everyone', epoch: '', offset: 0 },
          ],
        },
      },
    },
    {
      name: 'frame-recover-in-ack',
      frame: {
        type: 'recover',
        id: '3',
        content: { channels: [{ channel: 'user', epoch, offset: 6 }], messagesIn: 'ack' },
      },
    },
    {
      name: 'frame-refresh',
      frame: { type: 'refresh', id: '4', content: { token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl' } },
    },
    {
      name: 'frame-history',
      frame: { type: 'history', id: '5', content: { channel: 'user', before: 9, limit: 1 } },
    },
  ])('$name is read with all its fields', ({ name, frame }) => {
    expect(readClientFrame(textOf(name))).toEqual({ ok: true, frame });
  });
});

describe('the example of a server frame', () => {
  it.each([
    { name: 'frame-pong', frame: pongFrame('1') },
    { name: 'frame-ack', frame: ackFrame('2', { delivered: 1 }) },
    { name: 'frame-ack-history', frame: ackFrame('5', kept) },
    { name: 'frame-ack-recover', frame: ackFrame('3', { channels: recovered }) },
    { name: 'frame-ack-recover-in-ack', frame: ackFrame('3', { channels: recoveredInAck }) },
    { name: 'frame-message-durable', frame: messageFrame(durable) },
    {
      name: 'frame-error',
      frame: errorFrame(new Refusal('bad_content', 'content.text: is required'), '2', 'demo-message-send'),
    },
    {
      name: 'frame-message',
      frame: messageFrame({ type: 'notice-push', content: { title: 'hi' }, messageId }),
    },
    {
      name: 'frame-message-from',
      frame: messageFrame({
        type: 'demo-message-receive',
        content: { fromUserId: '1', text: 'hi', single: true },
        messageId: '0b0f6b62-6a53-4a3b-8a0e-5c3d6f6f2a55',
        from: member,
      }),
    },
    {
      name: 'frame-closing',
      frame: closingFrame({
        code: 'token_expired',
        message: 'The token has expired; connect with a new one.',
        retry: true,
      }),
    },
  ])('$name is what is sent', ({ name, frame }) => {
    expect(JSON.parse(frame)).toEqual(example(name));
  });
});

describe('the example of an HTTP body', () => {
  it('publish-request is read, with defaults for missing fields', () => {
    expect(readPublishRequest(example('publish-request'))).toMatchObject({
      to: [{ kind: 'user', userType: 'member', userId: '42' }],
      tenant: 'default',
    });
  });

  it('publish-request-durable is read', () => {
    expect(readPublishRequest(example('publish-request-durable'))).toMatchObject({
      durable: true,
      ttlSeconds: 3600,
    });
  });

  it('publish-request-full is read, with every kind of target', () => {
    const request = readPublishRequest(example('publish-request-full'));
    expect(request.to.map(({ kind }) => kind)).toEqual(['session', 'user', 'type', 'topic', 'everyone']);
    const { to: _to, ...rest } = request;
    expect(example('publish-request-full')).toMatchObject(rest);
  });

  it.each([
    { name: 'publish-answer', body: answer },
    { name: 'publish-answer-durable', body: { ...answer, delivered: 0, gone: 0, offset: 7 } },
    { name: 'messages', body: kept },
    { name: 'publication', body: publication },
    { name: 'session', body: session },
    { name: 'sessions', body: { sessions: [{ ...session, topics: [] }] } },
    { name: 'sessions-closed', body: { closed: 1 } },
    { name: 'ticket', body: ticket },
  ])('$name has the shape of the protocol', ({ name, body }) => {
    expect(example(name)).toEqual(body);
  });

  it('error is the body of a refusal', () => {
    const bad = { to: 'everyone', content: 1, colour: 'red' };
    const { code, message, details } = refusalOf(() => readPublishRequest(bad));
    expect(example('error')).toEqual({ error: { code, message, details } });
  });
});

describe('the examples', () => {
  it('are complete: there are these and no others', () => {
    expect(readdirSync(folder).sort()).toEqual(
      [
        ...['ack', 'closing', 'demo-message-send', 'demo-message-send-text', 'error', 'message'],
        ...['message-from', 'ping', 'pong', 'ack-recover', 'message-durable', 'recover', 'refresh'],
        ...['history', 'ack-history'],
        ...['recover-in-ack', 'ack-recover-in-ack'],
      ]
        .map((name) => `frame-${name}.json`)
        .concat('messages.json', 'publish-answer-durable.json', 'publish-request-durable.json')
        .concat('error.json', 'publication.json', 'publish-answer.json', 'publish-request-full.json')
        .concat(
          'publish-request.json',
          'session.json',
          'sessions-closed.json',
          'sessions.json',
          'ticket.json',
        )
        .sort(),
    );
  });

  it('of messages have a type that may be published', () => {
    for (const name of ['frame-message', 'frame-message-from']) {
      const frame = example(name);
      const type: unknown =
        typeof frame === 'object' && frame !== null && 'type' in frame ? frame.type : undefined;
      expect(parseWith(publishType, type, 'type', 'bad_request')).toBe(type);
    }
  });
});

function textOf(name: string): string {
  return readFileSync(new URL(`${name}.json`, folder), 'utf8');
}

function example(name: string): unknown {
  return JSON.parse(textOf(name));
}
