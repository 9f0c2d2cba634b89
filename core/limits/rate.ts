import * as z from 'zod/mini';

const rate = z.object({ rateLimit: z.number(), burstLimit: z.number() });

/** Units per second on average, and the most at once. */
export type Rate = Readonly<z.output<typeof rate>>;

/** Reads a rate from its JSON. */
export function readRate(json: string): Rate {
  return z.parse(rate, JSON.parse(json));
}
