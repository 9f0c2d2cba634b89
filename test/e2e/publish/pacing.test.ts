import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesise } from '../../../scripts/synthesise.ts';
import type { Client } from '../client.ts';
import { startStack, type Stack } from '../stack.ts';

// The rate is low, so that the pace and not the machine decides the duration of a broadcast. There are more jobs
// (8 shards) than workers, so that more concurrent workers would exceed the rate.
const fanOutRate = 60;
const fanOutWorkers = 3;
const clientCount = 60;
/** A worker carries over at most 100 ms of unused rate. */
const burst = fanOutRate * 0.1;

let folder: string;
let stack: Stack;
const clients: Client[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-pacing-'));
  await synthesise(folder, { context: { fanOutRate, fanOutWorkers, inlineLimit: 20, shards: 8 } });
  stack = await startStack({ assembly: folder });
  for (let user = 0; user < clientCount; user += 1) clients.push(await stack.connect({ user: String(user) }));
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

/** Publishes this many messages to all clients. Resolves to their ids once the fan-out has accepted them. */
async function broadcast(count: number): Promise<readonly string[]> {
  const publishes = Array.from({ length: count }, async () => {
    const { status, body } = await stack.publish({ to: 'type:member', type: 'x', content: 1 });
    expect(status).toBe(202);
    return (body as { messageId: string }).messageId;
  });
  return Promise.all(publishes);
}

/** Resolves when every client has all these messages. */
async function arrivals(messageIds: readonly string[]): Promise<void> {
  const receive = async (client: Client): Promise<void> => {
    const missing = new Set<unknown>(messageIds);
    while (missing.size > 0) missing.delete((await client.next())['messageId']);
  };
  await Promise.all(clients.map(receive));
}

describe('the pace of the fan-out', () => {
  it('keeps all workers together at the rate', { timeout: 120_000 }, async () => {
    // After this broadcast, the workers have started.
    await arrivals(await broadcast(1));
    const startedAt = performance.now();
    const messageIds = await broadcast(5);
    await arrivals(messageIds);
    const seconds = (performance.now() - startedAt) / 1000;
    const posts = messageIds.length * clientCount;
    // The rate bounds the duration from below. A busy machine may take longer, but not five times as long.
    expect(posts).toBeLessThanOrEqual(fanOutRate * seconds + burst);
    expect(posts).toBeGreaterThan((fanOutRate * seconds) / 5);
  });

  it('does not delay a publish to one user', { timeout: 120_000 }, async () => {
    const user = await stack.connect({ user: 'direct', type: 'other' });
    // The workers need at least 20 seconds for these.
    const messageIds = await broadcast(20);
    expect(await stack.publish({ to: 'user:other:direct', type: 'direct', content: 1 })).toMatchObject({
      status: 200,
      body: { delivered: 1 },
    });
    expect(await user.next()).toMatchObject({ type: 'direct' });
    const reports = await Promise.all(messageIds.map((id) => stack.call('GET', `/publications/${id}`)));
    const statuses = reports.map(({ body }) => (body as { status: string }).status);
    expect(statuses).toContain('delivering');
  });
});
