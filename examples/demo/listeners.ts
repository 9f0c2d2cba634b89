import { defineListener } from 'switchboard/listener';
import { name } from 'switchboard/protocol';
import * as z from 'zod/mini';

// Front ends send the id as a number or as a string. An empty string means "to all".
const optionalUserId = z.pipe(
  z.pipe(
    z.nullish(z.union([z.string(), z.int()], 'must be a user id')),
    z.transform((id) => (id === undefined || id === null || id === '' ? undefined : String(id))),
  ),
  z.optional(name),
);

export default [
  /** Sends a text to one user (`toUserId`), or to all of the sender's type. Acks with the answer of the publish. */
  defineListener({
    type: 'demo-message-send',
    content: z.object({ text: z.string('must be a string'), toUserId: z.optional(optionalUserId) }),
    handle({ content: { text, toUserId }, from, send }) {
      const single = toUserId !== undefined;
      const to = single ? `user:${from.userType}:${toUserId}` : `type:${from.userType}`;
      return send(to, 'demo-message-receive', { fromUserId: from.userId, text, single });
    },
  }),
];
