import {
  defineListener,
  defineTextListener,
  type Listener,
  type ListenerContext,
  Refusal,
  type TextListener,
} from 'switchboard/listener';
import { name } from 'switchboard/protocol';
import * as z from 'zod/mini';
import { pageType, rayMessage, type RayMessage, readMessage, writeMessage } from './message.ts';
import type { Waiters } from './waiters.ts';

const nobody = writeMessage({ code: 1, msg: 'Nobody is on duty.' });

type Sender = Pick<ListenerContext<unknown>, 'from' | 'send' | 'sendText'>;

/** What RayFramework's server does with what its pages send. */
export function createListeners(waiters: Waiters): (Listener | TextListener)[] {
  /** Forwards to all waiters but the sender. Resolves to whether anybody was reached. */
  async function forward({ code, msg }: RayMessage, text: string, sender: Sender): Promise<boolean> {
    const { tenant, userType, userId } = sender.from;
    const others = (await waiters.list(tenant)).filter((waiter) => waiter !== `${userType}:${userId}`);
    return sendTo(others, { code, msg }, text, sender);
  }

  return [
    defineTextListener({
      matches: (text) => text === 'rayHeartBeat',
      handle: () => 'rayImHeartBeatFeedback',
    }),

    /** Any other text of a page, with or without `code` and `msg`. The waiters get it as it is. */
    defineTextListener({
      handle: async ({ text, ...sender }) =>
        (await forward(readMessage(text), text, sender)) ? undefined : nobody,
    }),

    /** The same for pages on `@switchboard/client`. A waiter may answer one account, `toStaffId`. */
    defineListener({
      type: 'rayim-message',
      content: z.extend(rayMessage, { toStaffId: z.optional(name) }),
      async handle({ content: { toStaffId, ...message }, ...sender }) {
        const { tenant, userType, userId } = sender.from;
        const text = writeMessage(message);
        if (toStaffId === undefined) return { isReached: await forward(message, text, sender) };
        if (!(await waiters.list(tenant)).includes(`${userType}:${userId}`))
          throw new Refusal('forbidden', 'content.toStaffId: only a waiter may answer an account');
        return { isReached: await sendTo([`${pageType}:${toStaffId}`], message, text, sender) };
      },
    }),
  ];
}

/** Pages get the text as it is, all others a frame. Resolves to whether a session was reached. */
async function sendTo(
  users: readonly string[],
  message: RayMessage,
  text: string,
  { send, sendText }: Sender,
): Promise<boolean> {
  const isPage = (user: string) => user.startsWith(`${pageType}:`);
  const pages = users.filter(isPage).map((user) => `user:${user}`);
  const others = users.filter((user) => !isPage(user)).map((user) => `user:${user}`);
  const answers = await Promise.all([
    ...(pages.length > 0 ? [sendText(pages, text)] : []),
    ...(others.length > 0 ? [send(others, 'rayim-message', message)] : []),
  ]);
  return answers.some((answer) => answer.status !== 'delivered' || answer.delivered > 0);
}
