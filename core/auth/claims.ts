import * as z from 'zod/mini';

const tokenClaims = z.object({
  userId: z.string(),
  userType: z.string(),
  tenant: z.string(),
  topics: z.string(),
});

/** The name that each claim has in the tokens. */
export type TokenClaims = Readonly<z.output<typeof tokenClaims>>;

/** Reads the names of the claims from their JSON. */
export function readTokenClaims(json: string): TokenClaims {
  return z.parse(tokenClaims, JSON.parse(json));
}
