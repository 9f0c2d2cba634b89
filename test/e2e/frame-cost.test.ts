import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxWatchedPerFrame } from '../../protocol/index.ts';
import { readPage, tableRows } from '../docs/documents.ts';
import type { Client, Frame } from './client.ts';
import { startPresenceStack } from './presence/presence-stack.ts';
import { signToken, type Stack } from './stack.ts';

/** List prices of us-east-1 in dollars, for one of each. The duration of functions comes on top. */
const prices: readonly (readonly [counter: RegExp, dollars: number])[] = [
  // https://aws.amazon.com/api-gateway/pricing/
  [/^websocket\.messages$/, 1e-6],
  // https://aws.amazon.com/lambda/pricing/
  [/^lambda\..*\.invocations$/, 0.2e-6],
  // https://aws.amazon.com/dynamodb/pricing/on-demand/
  [/^dynamodb\.readUnits$/, 0.125e-6],
  [/^dynamodb\.writeUnits$/, 0.625e-6],
  [/^sqs\.requests$/, 0.4e-6],
];

const ping = 2.2e-6;
const user = 'mallory';
const own = `user:member:${user}`;
const large = 'x'.repeat(126_000);
const topics = Array.from(
  { length: 100 },
  (_, index) => `${String(index).padStart(3, '0')}${'t'.repeat(253)}`,
);
const [spareTopic = '', ...heldTopics] = topics;
/** Small messages follow large ones, so a page reads more than it returns. */
const mixedTopic = 'mixed';

let stack: Stack;
let client: Client;
/** Has room for the watches of a frame. */
let watcher: Client;
/** With the longest names, all online. */
const watched = Array.from({ length: maxWatchedPerFrame }, (_, at) => String(at).padStart(128, 'u'));

beforeAll(async () => {
  stack = await startPresenceStack();
  client = await stack.connect({ user, topics: ['*'] });
  for (const topic of heldTopics) await ask({ type: 'subscribe', content: { topic } });
  // As many sessions as a user may have. Each is told of a mark.
  for (let count = 1; count < 20; count += 1) await stack.connect({ user });
  const store = async (to: string, content: string, count: number) => {
    for (let stored = 0; stored < count; stored += 1)
      expect(await stack.publish({ to, type: 'x', content, durable: true })).toMatchObject({ status: 200 });
  };
  await store(own, large, 32);
  await store(`topic:${spareTopic}`, large, 10);
  await store(`topic:${heldTopics[0] ?? ''}`, large, 10);
  await store('type:member', 'small', 60);
  await store(`topic:${mixedTopic}`, large, 20);
  await store(`topic:${mixedTopic}`, 'small', 8);
  await client.drain();
  watcher = await stack.connect({ user: 'watcher', topics: ['*'], claims: { watch: ['*'] } });
  for (const topic of topics.slice(0, 100 - maxWatchedPerFrame))
    await ask({ type: 'subscribe', content: { topic } }, watcher);
  for (const each of watched) await stack.connect({ user: each });
}, 240_000);
afterAll(() => stack.close());

/** Sends a frame until it is not above the rate, and resolves to its answer. */
async function ask(frame: Frame, by = client): Promise<Frame> {
  for (;;) {
    const answer = await askOnce(frame, by);
    if (!(await isRefused(answer))) return answer;
  }
}

/** Whether the frame was above the rate. Waits for as long as the refusal says. */
async function isRefused(answer: Frame): Promise<boolean> {
  const { retryAfterMs } = (answer['content'] ?? {}) as { retryAfterMs?: number };
  if (retryAfterMs !== undefined) await setTimeout(retryAfterMs);
  return retryAfterMs !== undefined;
}

async function askOnce(frame: Frame, by: Client): Promise<Frame> {
  let answer = await by.ask({ ...frame, id: 'this' });
  while (answer['id'] !== 'this') answer = await by.next();
  return answer;
}

function dollars(): number {
  return Object.entries(stack.cloud.meter.snapshot()).reduce((sum, [name, count]) => {
    const price = prices.find(([counter]) => counter.test(name))?.[1] ?? 0;
    return sum + count * price;
  }, 0);
}

/** The price of a frame, in pings. */
async function pingsOf(frame: Frame, by: Client): Promise<number> {
  for (;;) {
    const before = dollars();
    const answer = await askOnce(frame, by);
    if (!(await isRefused(answer))) {
      expect(answer).toMatchObject({ type: frame['type'] === 'ping' ? 'pong' : 'ack' });
      return (dollars() - before) / ping;
    }
  }
}

async function newToken(ttlSeconds: number): Promise<string> {
  return signToken({ user, type: 'member', tenant: 'default', topics: ['*'], ttlSeconds });
}

const start = { epoch: '', offset: 0 };
const inAck = { messagesIn: 'ack' };
const recover = (channels: readonly string[], form: object = {}) => ({
  type: 'recover',
  content: { channels: channels.map((channel) => ({ channel, ...start })), ...form },
});
/** Every channel that the user may read. The positions alone leave no room for a large message in an ack. */
const everyChannel = ['user', 'type', 'everyone', ...topics.map((topic) => `topic:${topic}`)];

/** The rows of the table, in its words, with the frames that may be the dearest. */
const frames: readonly (readonly [row: string, frame: () => Promise<Frame> | Frame])[] = [
  ['ping', () => ({ type: 'ping' })],
  ['subscribe', () => ({ type: 'subscribe', content: { topic: spareTopic, ...start } })],
  [
    '`subscribe`, with the messages in its ack',
    () => ({ type: 'subscribe', content: { topic: spareTopic, ...start, ...inAck } }),
  ],
  ['unsubscribe', () => ({ type: 'unsubscribe', content: { topic: spareTopic } })],
  ['`subscribe`, to a topic that is held', () => ({ type: 'subscribe', content: { topic: heldTopics[0] } })],
  ['recover', () => recover(['user', 'everyone', ...topics.map((topic) => `topic:${topic}`)])],
  ['recover', () => recover(['type', 'user', ...topics.map((topic) => `topic:${topic}`)])],
  ['`recover`, with the messages in its ack', () => recover(['user'], inAck)],
  ['`recover`, with the messages in its ack', () => recover(everyChannel, inAck)],
  ['`recover`, with the messages in its ack', () => recover(['type', ...everyChannel.slice(3)], inAck)],
  ['refresh', async () => ({ type: 'refresh', content: { token: await newToken(7000) } })],
  [
    '`refresh`, with a token that lengthens nothing',
    async () => ({ type: 'refresh', content: { token: await newToken(60) } }),
  ],
  ['history', () => ({ type: 'history', content: { channel: 'user' } })],
  ['history', () => ({ type: 'history', content: { channel: 'user', after: 0 } })],
  ['history', () => ({ type: 'history', content: { channel: `topic:${mixedTopic}` } })],
  ['inbox-list', () => ({ type: 'inbox-list', content: { limit: 1000 } })],
  ['inbox-unread', () => ({ type: 'inbox-unread' })],
  ['inbox-mark-read', () => ({ type: 'inbox-mark-read', content: { offset: 1 } })],
  [
    '`inbox-mark-read`, of an offset that is marked',
    () => ({ type: 'inbox-mark-read', content: { offset: 1 } }),
  ],
  ['watch', () => ({ type: 'watch', content: { users: watched.map((each) => `member:${each}`) } })],
  ['unwatch', () => ({ type: 'unwatch', content: { users: watched.map((each) => `member:${each}`) } })],
];

describe('what one frame can cost, in docs/security.md', () => {
  const written = new Map(
    tableRows(readPage('docs/security.md'), 'frame', 'pings at most').map(([row, pings]) => [
      row,
      Number(pings),
    ]),
  );

  it('has a row for each frame, and none above 50 pings', () => {
    expect(new Set(written.keys())).toEqual(new Set(frames.map(([row]) => row)));
    expect(Math.max(...written.values())).toBeLessThanOrEqual(50);
  });

  it.each(frames)('holds for %s', async (row, frame) => {
    const pings = await pingsOf(await frame(), row.endsWith('watch') ? watcher : client);
    expect(pings).toBeGreaterThan(0.9);
    expect(pings).toBeLessThanOrEqual(written.get(row) ?? 0);
  });
});
