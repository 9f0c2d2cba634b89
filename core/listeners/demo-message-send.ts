import * as z from 'zod/mini';
import { name } from '../../protocol/index.ts';
import { defineListener } from '../dispatch/define-listener.ts';

// Front ends send the id as a number or as a string. An empty string means "to all".
const optionalUserId = z.pipe(
  z.pipe(
    z.nullish(z.union([z.string(), z.int()])),
    z.transform((id) => (id === undefined || id === null || id === '' ? undefined : String(id))),
  ),
  z.optional(name),
);

/** An example: sends a text to one user (`toUserId`), or to all of the sender's type. Acks with the answer. */
export const demoMessageSend = defineListener({
  type: 'demo-message-send',
  content: z.object({ text: z.string(), toUserId: z.optional(optionalUserId) }),
  handle({ content: { text, toUserId }, from, send }) {
    const single = toUserId !== undefined;
    const to = single ? `user:${from.userType}:${toUserId}` : `type:${from.userType}`;
    return send(to, 'demo-message-receive', { fromUserId: from.userId, text, single });
  },
});
