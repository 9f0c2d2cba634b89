import { defineListener, defineTextListener, type ListenerContext } from 'switchboard/listener';
import * as z from 'zod/mini';

/** Pages of a `@ServerEndpoint`: tokens without a user type have this one. They take bare text. */
const pageType = 'member';

/** Pages on `@switchboard/client`. They take frames of the type `text-message`. */
const frameType = 'web';

export default [
  /** `@OnMessage` of the tutorial: everybody gets the text, the sender too. Put it after other text listeners. */
  defineTextListener({
    async handle({ text, send, sendText }) {
      await broadcast(text, { send, sendText });
      return undefined;
    },
  }),

  /** The same for pages on `@switchboard/client`. */
  defineListener({
    type: 'text-message',
    content: z.object({ text: z.string().check(z.minLength(1)) }),
    handle: ({ content: { text }, send, sendText }) => broadcast(text, { send, sendText }),
  }),
];

async function broadcast(
  text: string,
  { send, sendText }: Pick<ListenerContext<unknown>, 'send' | 'sendText'>,
): Promise<void> {
  await Promise.all([
    sendText(`type:${pageType}`, text),
    send(`type:${frameType}`, 'text-message', { text }),
  ]);
}
