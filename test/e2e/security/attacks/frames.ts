import type { Frame } from '../../client.ts';
import type { Stack, User } from '../../stack.ts';
import { tokenOf } from '../use.ts';
import type { Attack } from './attack.ts';

let users = 0;

/** Sends a frame as a user whose token allows the topics `orders.*`, and resolves to the first answer. */
async function ask(stack: Stack, frame: object | string, user: Partial<User> = {}): Promise<Frame> {
  const name = `attacker-${String((users += 1))}`;
  const client = await stack.connect({ user: name, topics: ['orders.*', 'desk/*/in'], ...user });
  const answer = await client.ask(frame);
  await client.close();
  return answer;
}

function attack(name: string, frame: object | string, code: string): Attack {
  return { name, run: (stack) => ask(stack, frame), expected: { type: 'error', content: { code } } };
}

const beyond = [
  ...['orders', 'order.1', 'xorders.1', 'ORDERS.1', 'news.eu', 'desk/in', 'desk/1/in/2', 'orders'],
].flatMap((topic) => [
  attack(
    `subscribing to ${topic}, which no pattern of the token matches`,
    { type: 'subscribe', content: { topic } },
    'forbidden',
  ),
  attack(
    `recovering ${topic}, which no pattern of the token matches`,
    { type: 'recover', content: { channels: [{ channel: `topic:${topic}`, epoch: '' }] } },
    'forbidden',
  ),
]);

const notNames = ['*', 'orders.*', 'orders.\n', 'orders.#', 'orders.\u0000', 'orders.ä'].map((topic) =>
  attack(
    `subscribing to ${JSON.stringify(topic)}, which is no name of a topic`,
    { type: 'subscribe', content: { topic } },
    'bad_content',
  ),
);

const othersChannels = ['user:member:other', 'user:admin:root', 'type:admin'].map((channel) =>
  attack(
    `recovering ${channel}, the channel of others`,
    { type: 'recover', content: { channels: [{ channel, epoch: '' }] } },
    'forbidden',
  ),
);

const serverTypes = ['$connect', '$disconnect', '$default', 'ack', 'error', 'closing', 'pong'].map((type) =>
  attack(`a frame of the type ${type}`, { type, content: {} }, 'unknown_type'),
);

const prototypeTypes = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'].map((type) =>
  attack(`a frame of the type ${type}`, `{"type":"${type}","content":{"__proto__":{}}}`, 'unknown_type'),
);

const refreshes: readonly (readonly [string, Partial<User>])[] = [
  ['another user', { user: 'other' }],
  ['another type', { user: 'me', type: 'admin' }],
  ['another tenant', { user: 'me', tenant: 'acme' }],
];

/** The message that a user gets of itself, although its frame claims to come from somebody else. */
const forgedFrom: Attack = {
  name: 'a frame that claims another sender, tenant and messageId',
  async run(stack) {
    const client = await stack.connect({ user: 'honest', tenant: 'stamps' });
    const root = { tenant: 'acme', userType: 'admin', userId: 'root' };
    const claims = { from: root, tenant: 'acme', messageId: '00000000-0000-4000-8000-000000000000' };
    client.send({ type: 'tell', ...claims, content: { to: ['user:member:honest'], text: 'x', ...claims } });
    const { from, messageId } = await client.next();
    await client.close();
    return { from, isForged: messageId === claims.messageId };
  },
  expected: { from: { tenant: 'stamps', userType: 'member', userId: 'honest' }, isForged: false },
};

/** Names that objects have by themselves are names like any other. */
const prototypeUser: Attack = {
  name: 'a user, tenant and topic named as members of Object.prototype',
  async run(stack) {
    const client = await stack.connect({
      user: '__proto__',
      type: 'constructor',
      tenant: 'toString',
      topics: ['*'],
    });
    await client.ask({ type: 'subscribe', id: '1', content: { topic: '__proto__' } });
    const published = await stack.publish({
      to: ['topic:__proto__', 'user:constructor:__proto__', 'type:constructor'],
      type: 'x',
      content: JSON.parse('{"__proto__":{"isAdmin":true}}') as unknown,
      tenant: 'toString',
    });
    await client.next();
    await client.expectSilence();
    await client.close();
    return { ...published, isPolluted: 'isAdmin' in {} };
  },
  expected: { status: 200, body: { delivered: 1, gone: 0, failed: 0 }, isPolluted: false },
};

export const frames: readonly Attack[] = [
  ...beyond,
  ...notNames,
  ...othersChannels,
  ...serverTypes,
  ...prototypeTypes,
  ...refreshes.map(([whose, user]): Attack => ({
    name: `a refresh with the token of ${whose}`,
    run: async (stack) =>
      ask(
        stack,
        { type: 'refresh', content: { token: await tokenOf({ user: 'me', ...user }) } },
        { user: 'me' },
      ),
    expected: { type: 'error', content: { code: 'forbidden' } },
  })),
  forgedFrom,
  prototypeUser,
];
