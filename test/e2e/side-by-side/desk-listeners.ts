import { defineListener } from 'switchboard/listener';
import * as z from 'zod/mini';

export default [
  defineListener({ type: 'who', content: z.unknown(), handle: () => 'desk' }),
  defineListener({
    type: 'desk-say',
    content: z.object({ toUserId: z.string() }),
    handle: ({ content, send }) => send(`user:member:${content.toUserId}`, 'said', 'at the desk'),
  }),
];
