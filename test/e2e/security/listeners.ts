import { defineListener } from 'switchboard/listener';
import * as z from 'zod/mini';

const text = z.string().check(z.maxLength(1000, 'must be at most 1000 characters'));

export default [
  /** Answers the sender, with a message and with the ack. */
  defineListener({
    type: 'echo',
    content: z.object({ text }),
    async handle({ content, reply }) {
      await reply('echoed', content);
      return content;
    },
  }),
  /** Acks any content with the same content. */
  defineListener({ type: 'repeat', content: z.unknown(), handle: ({ content }) => content }),
  /** Sends to any targets of the tenant. */
  defineListener({
    type: 'tell',
    content: z.object({
      to: z.array(z.string()),
      text,
      durable: z.optional(z.boolean()),
      deliverAt: z.optional(z.number()),
    }),
    handle: ({ content: { to, text: told, ...options }, send }) => send(to, 'told', { text: told }, options),
  }),
  /** Fails, as a listener with a bug does. */
  defineListener({
    type: 'fail',
    content: z.object({ text }),
    handle() {
      throw new Error('The listener has a bug.');
    },
  }),

  /** Answers who is online. */
  defineListener({
    type: 'who',
    content: z.object({ users: z.array(z.string()) }),
    handle: ({ content, presence }) => presence.of(content.users),
  }),
];
