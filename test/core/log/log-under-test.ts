import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Slot } from '../../../core/log/items.ts';
import type { Core } from '../core-under-test.ts';

export const log = { tenant: 'default', channel: 'user:member:1' };

export function entry(text: string, ttlSeconds = 600) {
  return {
    messageId: randomUUID(),
    ttlSeconds,
    frameAt: ({ epoch, offset }: { epoch: string; offset: number }) => JSON.stringify([text, epoch, offset]),
  };
}

/** Takes an offset and writes nothing there, like a writer that was killed. */
export async function leaveHole({ logs }: Core, ttlSeconds = 600, id = log): Promise<Slot> {
  const taken: Slot[] = [];
  const failing = { ...entry('never', ttlSeconds), frameAt: () => fail() };
  const remember = (slot: Slot) => Promise.resolve(void taken.push(slot));
  await expect(logs.append(id, failing, { remember })).rejects.toThrow('killed');
  const [slot] = taken;
  if (!slot) throw new Error('Nothing was taken.');
  return slot;
}

export async function read(core: Core, after: number, limit = 100) {
  const reader = await core.logs.open(log);
  const { lostAt, bytesRead: _bytesRead, ...page } = await reader.page(after, limit);
  const texts = page.messages.map(({ frame }) => (JSON.parse(frame) as [string])[0]);
  return { ...page, messages: texts, isComplete: lostAt === undefined };
}

function fail(): never {
  throw new Error('killed');
}
