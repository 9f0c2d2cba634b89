import { defineListener } from 'switchboard/listener';
import * as z from 'zod/mini';

export default [
  defineListener({ type: 'who', content: z.unknown(), handle: () => 'chat' }),
  defineListener({
    type: 'chat-say',
    content: z.object({ toUserId: z.string() }),
    handle: ({ content, send }) => send(`user:member:${content.toUserId}`, 'said', 'in the chat'),
  }),
];
