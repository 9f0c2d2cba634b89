import { defineListener } from 'switchboard/listener';
import * as z from 'zod/mini';

/** A pattern of a target matches this type too. */
export default [
  defineListener({ type: 'order-in-code', content: z.unknown(), handle: () => 'from the listener' }),
  defineListener({
    type: 'refund',
    content: z.unknown(),
    requires: { role: ['admin', 'owner'] },
    async handle({ from, reply }) {
      await reply('refunded', 1);
      return from.claims;
    },
  }),
];
