import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesise } from '../../scripts/synthesise.ts';
import type { Client } from './client.ts';
import { startStack, type Stack } from './stack.ts';

// So low a rate that the pace decides how long a broadcast takes, and not the machine. There are more jobs (8 shards)
// than workers: with more workers than these the rate would be exceeded.
const fanOutRate = 60;
const fanOutWorkers = 3;
const clientCount = 60;
/** A worker saves up at most 100 ms of its rate. */
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

/** Publishes so many messages to all clients; resolves to their ids once the fan-out has them. */
async function broadcast(count: number): Promise<readonly string[]> {
  const publishes = Array.from({ length: count }, async () => {
    const { status, body } = await stack.publish({ to: 'type:member', type: 'x', content: 1 });
    expect(status).toBe(202);
    return (body as { messageId: string }).messageId;
  });
  return Promise.all(publishes);
}

/** Resolves when every client has got every one of these messages. */
async function arrivals(messageIds: readonly string[]): Promise<void> {
  const receive = async (client: Client): Promise<void> => {
    const missing = new Set<unknown>(messageIds);
    while (missing.size > 0) missing.delete((await client.next())['messageId']);
  };
  await Promise.all(clients.map(receive));
}

describe('the pace of the fan-out', () => {
  it('is the rate of all workers together, whatever the machine could do', { timeout: 120_000 }, async () => {
    // The workers have started by then.
    await arrivals(await broadcast(1));
    const startedAt = performance.now();
    const messageIds = await broadcast(5);
    await arrivals(messageIds);
    const seconds = (performance.now() - startedAt) / 1000;
    const posts = messageIds.length * clientCount;
    // A broadcast never takes less than this. A busy machine may take longer, but not five times as long.
    expect(posts).toBeLessThanOrEqual(fanOutRate * seconds + burst);
    expect(posts).toBeGreaterThan((fanOutRate * seconds) / 5);
  });

  it('does not hold up a publish to one user', { timeout: 120_000 }, async () => {
    const user = await stack.connect({ user: 'direct', type: 'other' });
    // At least 20 seconds of work for the workers.
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
