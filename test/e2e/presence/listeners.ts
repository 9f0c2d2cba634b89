import * as z from 'zod/mini';
import { defineListener } from 'switchboard/listener';

export default [
  defineListener({
    type: 'who-is-online',
    content: z.object({ users: z.array(z.string()) }),
    handle: ({ content, presence }) => presence.of(content.users),
  }),
];
