import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changedAssembly, setVariable } from '../changed-assembly.ts';
import { startStack } from '../stack.ts';

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(os.tmpdir(), 'switchboard-schedule-'));
  await chmod(dataDir, 0o700);
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

/** Connections stay open, however fast the clock runs. */
const limits = { idleTimeoutMs: 1e9, lifetimeMs: 1e9 };
/** A tick each second. Functions, and so the times of messages, keep the time of the machine. */
const fast = { ...limits, clockSpeed: 60 };
const notice = { to: 'user:member:ada', type: 'notice-push' };

describe('a restart of the laptop cloud with --data', () => {
  it('loses no scheduled message: those of the queue come late, those of the future at their time', async () => {
    const before = await startStack({ dataDir, ...fast });
    const [lost, cancelled, ahead] = [randomUUID(), randomUUID(), randomUUID()];
    // Starts the functions, so that no publish is too late.
    await before.publish({ ...notice, content: 'now' });
    const soon = Date.now() + 5000;
    const later = soon + 20_000;
    const scheduled = [
      { content: 'lost', messageId: lost, deliverAt: soon },
      { content: 'cancelled', messageId: cancelled, deliverAt: soon },
      { content: 'ahead', messageId: ahead, deliverAt: later, durable: true },
    ];
    for (const message of scheduled)
      expect(await before.publish({ ...notice, ...message })).toMatchObject({ status: 202 });
    expect(await before.call('DELETE', `/publications/${cancelled}`)).toMatchObject({ status: 200 });
    await before.close();

    const stack = await startStack({ dataDir, ...fast });
    try {
      const client = await stack.connect({ user: 'ada' });
      const status = async (messageId: string) =>
        ((await stack.call('GET', `/publications/${messageId}`)).body as { status: string }).status;
      expect(await status(cancelled)).toBe('cancelled');
      expect(await client.next()).toMatchObject({ content: 'lost', messageId: lost });
      expect(await client.next()).toMatchObject({ content: 'ahead', messageId: ahead, offset: 1 });
      expect(Date.now()).toBeGreaterThanOrEqual(later);
      await expect.poll(() => status(ahead), { timeout: 15_000 }).toBe('done');
      await client.expectSilence();
    } finally {
      await stack.close();
    }
  }, 90_000);
});

describe('a laptop cloud whose clock runs 3,600 times faster', () => {
  it('delivers at the time of the machine', async () => {
    const stack = await startStack({ ...limits, clockSpeed: 3600 });
    try {
      const client = await stack.connect({ user: 'ada' });
      await stack.publish({ ...notice, content: 0 });
      expect(await client.next()).toMatchObject({ content: 0 });
      const deliverAt = Date.now() + 3000;
      const { body } = await stack.publish({ ...notice, content: 1, deliverAt });
      expect(body).toMatchObject({ status: 'scheduled', deliverAt });
      expect(await client.next()).toMatchObject({ content: 1 });
      expect(Date.now()).toBeGreaterThanOrEqual(deliverAt);
      expect(stack.lines.filter((line) => line.includes('failed'))).toEqual([]);
    } finally {
      await stack.close();
    }
  });
});

describe('a stack without the setting scheduledPublishes', () => {
  it('refuses a deliverAt, and names the setting', async () => {
    const assembly = await changedAssembly((template) => setVariable(template, 'SCHEDULE_QUEUE_URL', ''));
    const stack = await startStack({ assembly });
    try {
      const deliverAt = Date.now() + 60_000;
      expect(await stack.publish({ ...notice, content: 1, deliverAt })).toMatchObject({
        status: 400,
        body: { error: { message: 'deliverAt: needs the setting scheduledPublishes' } },
      });
    } finally {
      await stack.close();
      await rm(assembly, { recursive: true, force: true });
    }
  });
});
