import { randomUUID } from 'node:crypto';
import type { Client } from '../../client.ts';
import type { Stack } from '../../stack.ts';
import type { Attack } from './attack.ts';

interface Victim {
  readonly client: Client;
  readonly connectionId: string;
  readonly user: string;
  /** Of a durable message to the victim's user, whose publication is recorded. */
  readonly messageId: string;
  readonly topic: string;
}

let victims = 0;

/** A user of another tenant than `evil`, with a subscription, a durable message and a recorded publication. */
async function connectVictim(stack: Stack): Promise<Victim> {
  const user = `victim-${String((victims += 1))}`;
  const topic = `orders.${user}`;
  const client = await stack.connect({ user, tenant: 'acme', topics: ['*'] });
  await client.ask({ type: 'subscribe', id: 's', content: { topic } });
  const messageId = randomUUID();
  const message = { type: 'secret', content: 'swordfish', tenant: 'acme', durable: true };
  await stack.publish({ ...message, to: `user:member:${user}`, messageId });
  await client.next();
  await stack.publish({ ...message, to: `topic:${topic}` });
  await client.next();
  const { body } = await stack.call('GET', `/sessions?tenant=acme&userType=member&userId=${user}`);
  const [{ connectionId }] = (body as { sessions: [{ connectionId: string }] }).sessions;
  return { client, connectionId, user, messageId, topic };
}

/** A service that acts for the tenant `evil`, and guesses what belongs to `acme`. */
function byService(
  name: string,
  attack: (stack: Stack, victim: Victim) => Promise<unknown>,
  expected: object,
): Attack {
  return {
    name: `a service of another tenant: ${name}`,
    run: async (stack) => {
      const victim = await connectVictim(stack);
      const got = await attack(stack, victim);
      // Whatever the service did, the victim got nothing and is still there.
      await victim.client.expectSilence();
      return got;
    },
    expected,
  };
}

/** A user of the tenant `evil`, with every right there. */
function byUser(name: string, frame: (victim: Victim) => object, expected: object): Attack {
  return {
    name: `a user of another tenant: ${name}`,
    run: async (stack) => {
      const victim = await connectVictim(stack);
      const evil = await stack.connect({ user: victim.user, tenant: 'evil', topics: ['*'] });
      const got = await evil.ask({ id: '1', ...frame(victim) });
      await victim.client.expectSilence();
      await evil.expectSilence();
      return got;
    },
    expected,
  };
}

const nothing = { delivered: 0, gone: 0, failed: 0 };
const publish = (stack: Stack, to: string) =>
  stack.publish({ to, type: 'x', content: 1, tenant: 'evil' }).then(({ body }) => body);
const noLog = { epoch: '', offset: 0 };

export const tenants: readonly Attack[] = [
  byService(
    'publishes to a session by its id',
    (stack, v) => publish(stack, `session:${v.connectionId}`),
    nothing,
  ),
  byService('publishes to a user by its id', (stack, v) => publish(stack, `user:member:${v.user}`), nothing),
  byService('publishes to a topic by its name', (stack, v) => publish(stack, `topic:${v.topic}`), nothing),
  byService('publishes to a type', (stack) => publish(stack, 'type:member'), nothing),
  byService('publishes to everyone', (stack) => publish(stack, 'everyone'), nothing),
  byService(
    'reads a publication by its messageId',
    (stack, v) => stack.call('GET', `/publications/${v.messageId}?tenant=evil&recipients=true`),
    { status: 404, body: { error: { code: 'not_found' } } },
  ),
  byService(
    'publishes under the same messageId',
    (stack, v) =>
      stack.publish({ to: 'everyone', type: 'x', content: 1, tenant: 'evil', messageId: v.messageId }),
    { status: 200, body: nothing },
  ),
  byService(
    'reads the messages of a user',
    (stack, v) => stack.call('GET', `/channels/user%3Amember%3A${v.user}/messages?tenant=evil`),
    { status: 200, body: { messages: [], head: 0 } },
  ),
  byService(
    'reads the messages of a topic',
    (stack, v) => stack.call('GET', `/channels/topic%3A${v.topic}/messages?tenant=evil`),
    { status: 200, body: { messages: [], head: 0 } },
  ),
  byService(
    'lists the sessions of a user',
    (stack, v) => stack.call('GET', `/sessions?tenant=evil&userType=member&userId=${v.user}`),
    { status: 200, body: { sessions: [] } },
  ),
  byService(
    'ends the sessions of a user',
    (stack, v) => stack.call('DELETE', `/sessions?tenant=evil&userType=member&userId=${v.user}`),
    { status: 200, body: { closed: 0 } },
  ),
  byUser(
    'sends to a session by its id',
    (v) => ({ type: 'tell', content: { to: [`session:${v.connectionId}`], text: 'x' } }),
    { type: 'ack', content: nothing },
  ),
  byUser(
    'sends to a topic by its name',
    (v) => ({ type: 'tell', content: { to: [`topic:${v.topic}`], text: 'x' } }),
    { type: 'ack', content: { ...nothing } },
  ),
  byUser(
    'names the tenant in a frame',
    (v) => ({
      type: 'tell',
      tenant: 'acme',
      content: { to: [`session:${v.connectionId}`], text: 'x', tenant: 'acme' },
    }),
    { type: 'ack', content: nothing },
  ),
  byUser(
    'recovers its own channel, which has the name of the victim',
    () => ({ type: 'recover', content: { channels: [{ channel: 'user', epoch: '' }] } }),
    { type: 'ack', content: { channels: [noLog] } },
  ),
  byUser(
    'recovers a topic of the same name',
    (v) => ({ type: 'recover', content: { channels: [{ channel: `topic:${v.topic}`, epoch: '' }] } }),
    { type: 'ack', content: { channels: [noLog] } },
  ),
  byUser(
    'recovers the name of a partition',
    (v) => ({ type: 'recover', content: { channels: [{ channel: `CHANNEL#acme#user:member:${v.user}` }] } }),
    { type: 'error' },
  ),
  byUser(
    'reads the history of a topic of the same name',
    (v) => ({ type: 'history', content: { channel: `topic:${v.topic}` } }),
    { type: 'ack', content: { messages: [], head: 0 } },
  ),
  byUser(
    'subscribes to a topic of the same name',
    (v) => ({ type: 'subscribe', content: { topic: v.topic, epoch: '' } }),
    { type: 'ack', content: noLog },
  ),
  byUser('reads an inbox of the same user id', () => ({ type: 'inbox-list', content: {} }), {
    type: 'ack',
    content: { messages: [], head: 0 },
  }),
];
