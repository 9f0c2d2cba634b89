import * as z from 'zod/mini';
import { createDispatch } from '../../../core/dispatch/dispatch.ts';
import { defineListener } from '../../../core/dispatch/define-listener.ts';
import type { Sender } from '../../../core/dispatch/context.ts';
import type { Listener } from '../../../core/dispatch/listener.ts';
import type { TextListener } from '../../../core/dispatch/text-listener.ts';
import type { Limit } from '../../../core/limits/limit.ts';
import type { Recipient } from '../../../core/sessions/items.ts';
import { formatTarget, type Identity, type PublishRequest, Refusal } from '../../../protocol/index.ts';

export const identity = { tenant: 'acme', userType: 'member', userId: '1' };
export const session = { connectionId: 'c1=', connectedAt: 1_000, tokenExpiresAt: 2_000 };
export const rights = { topics: ['orders.*'], watch: [] };
export const claims = {};
export const sender: Sender = { identity, rights, claims, session };
export const byHttp: Sender = { identity, rights, claims, session: undefined };

export const nothing = z.optional(z.unknown());

export const listeners: readonly Listener[] = [
  defineListener({ type: 'echo', content: z.object({ text: z.string() }), handle: ({ content }) => content }),
  defineListener({ type: 'text', content: z.string(), handle: ({ content }) => content }),
  defineListener({ type: 'silent', content: nothing, handle: () => undefined }),
  defineListener({ type: 'who', content: nothing, handle: ({ from, session }) => ({ from, session }) }),
  defineListener({
    type: 'refuse',
    content: nothing,
    handle: () => {
      throw new Refusal('forbidden', 'content.text: not you');
    },
  }),
  defineListener({
    type: 'throw',
    content: nothing,
    handle: () => {
      throw new Error('The password is swordfish.');
    },
  }),
  defineListener({
    type: 'throw-text',
    content: nothing,
    // This throws the text itself, as a careless listener may.
    handle: () => {
      AbortSignal.abort('The password is swordfish.').throwIfAborted();
    },
  }),
  defineListener({
    type: 'reject',
    content: nothing,
    handle: () => Promise.reject(new TypeError('The password is swordfish.')),
  }),
  defineListener({
    type: 'forward',
    content: z.object({ to: z.string() }),
    handle: ({ content, send }) => send(content.to, 'forwarded', { forwarded: true }),
  }),
  defineListener({
    type: 'answer-me',
    content: z.optional(z.object({})),
    handle: ({ reply }) => reply('answered', { n: 1 }),
  }),
];

export function dispatching(
  known: readonly (Listener | TextListener)[] = listeners,
  findTarget?: (type: string) => Listener | undefined,
  limit?: Limit,
) {
  const published: { request: PublishRequest; from: Identity | undefined }[] = [];
  const replied: { request: PublishRequest; to: Recipient }[] = [];
  const logged: unknown[][] = [];
  const counted: unknown[] = [];
  const line =
    (level: string) =>
    (...entry: unknown[]) => {
      logged.push([level, ...entry]);
    };
  const delivered = { messageId: 'm', status: 'delivered', delivered: 1, gone: 0, failed: 0 } as const;
  const dispatch = createDispatch({
    listeners: known,
    ...(findTarget && { findTarget }),
    presence: { ofUsers: () => Promise.reject(new Error('These listeners ask for nobody.')) },
    ...(limit && { limit }),
    publish(request, from) {
      published.push({ request, from });
      return Promise.resolve(delivered);
    },
    reply(request, to) {
      replied.push({ request, to });
      return Promise.resolve(delivered);
    },
    countSessions: (tenant, target) => {
      counted.push([tenant, formatTarget(target)]);
      return Promise.resolve(7);
    },
    logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
  });
  return { dispatch, published, replied, logged, counted };
}

/** The answer that the client gets. */
export async function ask(text: string): Promise<string | undefined> {
  const answer = await dispatching().dispatch(text, sender);
  return answer.ackNotRequested ? undefined : answer.text;
}

export async function answer(frame: object): Promise<unknown> {
  return JSON.parse((await ask(JSON.stringify(frame))) ?? '');
}
