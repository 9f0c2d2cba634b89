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

/** How the client asks for the messages. */
export type Form = 'posts' | 'ack';

interface Entry {
  readonly messages?: readonly { readonly content: unknown }[];
}

/** The answer to the frame `recover`, and the contents of the messages in the form that was asked for. */
export async function recover(core: Core, channels: readonly unknown[], form: Form = 'posts') {
  const before = core.connections.calls.length;
  const answer = await answerTo(core, { channels, ...(form === 'ack' && { messagesIn: 'ack' }) });
  const posted = core.connections.calls.slice(before).map((call) => {
    if (call.call !== 'post') throw new Error('Something was closed.');
    expect(call.connectionId).toBe('c1=');
    return (JSON.parse(call.text) as { content: unknown }).content;
  });
  const inAck = answer.channels.flatMap(({ messages = [] }) => messages.map(({ content }) => content));
  expect(form === 'ack' ? posted : inAck).toEqual([]);
  const entries = answer.channels.map(({ messages: _, ...entry }): Record<string, unknown> => entry);
  return { sent: form === 'ack' ? inAck : posted, channels: entries };
}

/** The content of the ack of a `recover` with this content, which is sent as an object or as JSON text. */
export async function answerTo(core: Core, content: object, isText = false) {
  const listener = createRecoverListener(core);
  const { handle } = await listener.accept(isText ? JSON.stringify(content) : content);
  return (await handle(contextOf({ from: identity, session }, topics))) as { channels: readonly Entry[] };
}

/** Why the frame `recover` is refused. */
export async function refusal(core: Core, channels: readonly unknown[]): Promise<Refusal> {
  const cause: unknown = await recover(core, channels).catch((thrown: unknown) => thrown);
  if (cause instanceof Refusal) return cause;
  throw new Error('It was not refused.', { cause });
}
