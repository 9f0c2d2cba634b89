import { rm } from 'node:fs/promises';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { maxTopicsPerSession } from '../../protocol/index.ts';
import { changedAssembly, liftRates } from './changed-assembly.ts';
import type { Frame } from './client.ts';
import { startStack, type Stack } from './stack.ts';
import { onTable } from './tables.ts';

const topicCount = 300;
const pairs = 4;

let assembly: string;
let stack: Stack;
beforeAll(async () => {
  assembly = await changedAssembly(liftRates);
  stack = await startStack({ assembly });
});
afterAll(async () => {
  await stack.close();
  await rm(assembly, { recursive: true, force: true });
});

/** The topics that have a subscription row. */
async function topicsWithRow(): Promise<string[]> {
  let topics: string[] = [];
  await onTable(stack, 'Sessions', async (db, table) => {
    const { Items = [] } = await db.send(new ScanCommand({ TableName: table }));
    const keys = Items.map(({ pk }) => String(pk).split('#'));
    topics = keys.flatMap(([kind, , topic = '']) => (kind === 'TOPIC' ? [topic] : []));
  });
  return topics.sort();
}

async function listedTopics(): Promise<readonly string[]> {
  const { body } = await stack.call('GET', '/sessions?userType=member&userId=storm');
  return (body as { sessions: { topics: string[] }[] }).sessions[0]?.topics ?? [];
}

it('subscribe and unsubscribe at the same time leave what they answered, and nothing after the end', async () => {
  const client = await stack.connect({ user: 'storm', topics: ['*'] });
  const names = Array.from({ length: topicCount }, (_, index) => `q${String(index)}`);
  const answers: Frame[] = [];
  for (let at = 0; at < topicCount; at += pairs) {
    const some = names.slice(at, at + pairs);
    for (const topic of some)
      for (const type of ['subscribe', 'unsubscribe'])
        client.send({ type, id: `${type} ${topic}`, content: { topic } });
    for (let left = 2 * some.length; left > 0; left -= 1) answers.push(await client.next());
  }
  // A pair may run in the wrong order and leave its topic subscribed, so the limit may be reached.
  const refusals = answers
    .filter(({ type }) => type !== 'ack')
    .map(({ content }) => (content as Frame)['message']);
  const limit = `content.topic: the session has ${String(maxTopicsPerSession)} topics, the most allowed`;
  expect(refusals.filter((refusal) => refusal !== limit)).toEqual([]);
  const listed = await listedTopics();
  expect(listed.length).toBeLessThanOrEqual(maxTopicsPerSession);
  expect(await topicsWithRow()).toEqual(listed);

  // A publish queries each shard of each topic, so a part of the topics must do.
  const unlisted = names.filter((name) => !listed.includes(name)).slice(0, 20);
  const to = unlisted.map((name) => `topic:${name}`);
  expect(await stack.publish({ to, type: 'x', content: 1 })).toMatchObject({
    body: { delivered: 0, gone: 0, failed: 0 },
  });
  for (const topic of listed) client.send({ type: 'unsubscribe', id: topic, content: { topic } });
  for (let left = listed.length; left > 0; left -= 1)
    expect(await client.next()).toMatchObject({ type: 'ack' });
  expect([await listedTopics(), await topicsWithRow()]).toEqual([[], []]);

  await client.ask({ type: 'subscribe', id: 's', content: { topic: 'last' } });
  await client.close();
  await expect.poll(topicsWithRow, { timeout: 15_000 }).toEqual([]);
}, 120_000);
