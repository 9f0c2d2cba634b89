import { expect } from 'vitest';
import { createRecoverListener } from '../../../core/dispatch/recover.ts';
import { readPublishRequest, Refusal } from '../../../protocol/index.ts';
import { contextOf, type Core } from '../core-under-test.ts';

export const own = 'user:member:1';
export const identity = { tenant: 'default', userType: 'member', userId: '1' };
export const session = { connectionId: 'c1=', connectedAt: 0, tokenExpiresAt: 0 };
export const topics = ['orders.*'];

export function publish(core: Core, content: unknown, to = own) {
  return core.publish(readPublishRequest({ to, type: 'n', content, durable: true }));
}

/** The answer to the frame `recover`, and the contents that were sent before it. */
export async function recover(core: Core, channels: readonly unknown[]) {
  const before = core.connections.calls.length;
  const { handle } = await createRecoverListener(core).accept({ channels });
  const answer = await handle(contextOf({ from: identity, session }, topics));
  const sent = core.connections.calls.slice(before).map((call) => {
    if (call.call !== 'post') throw new Error('Something was closed.');
    expect(call.connectionId).toBe('c1=');
    return (JSON.parse(call.text) as { content: unknown }).content;
  });
  return { sent, channels: (answer as { channels: unknown[] }).channels };
}

/** Why the frame `recover` is refused. */
export async function refusal(core: Core, channels: readonly unknown[]): Promise<Refusal> {
  const cause: unknown = await recover(core, channels).catch((thrown: unknown) => thrown);
  if (cause instanceof Refusal) return cause;
  throw new Error('It was not refused.', { cause });
}
