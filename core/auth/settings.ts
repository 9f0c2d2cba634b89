import * as z from 'zod/mini';

const keySet = z.object({
  jwksUrl: z.string(),
  /** What `iss` must be. */
  issuer: z.string(),
  /** `aud` must hold one of these. */
  audience: z.array(z.string()),
  /** Absent: all that use public keys. */
  algorithms: z.optional(z.array(z.string())),
});

const settings = z.object({
  /** The query parameter of the handshake. */
  parameter: z.string(),
  /** The ARN of the secret. Absent: no token is verified by a secret. */
  secret: z.optional(z.string()),
  keySets: z.array(keySet),
  /** The ARN of the function that verifies tokens in place of the secret and the key sets. */
  verifier: z.optional(z.string()),
  /** The name that each claim has in the tokens. */
  names: z.object({
    userId: z.string(),
    userType: z.string(),
    tenant: z.string(),
    topics: z.string(),
    send: z.string(),
    watch: z.string(),
    // The two defaults are for new code that starts with the variable of the version before.
    contentAs: z._default(z.string(), 'contentAs'),
  }),
  /** The claims that listeners see. */
  claims: z.array(z.string()),
  /** The types of users whose sessions take content as JSON text, if their tokens do not say otherwise. */
  textContentFor: z._default(z.array(z.string()), []),
  maxLifetimeSeconds: z.int(),
  requireTenant: z.boolean(),
});

/** The public keys of an issuer. */
export type KeySetSettings = Readonly<z.output<typeof keySet>>;

/** How tokens are verified, and what their claims mean. */
export type TokenSettings = Readonly<z.output<typeof settings>>;

export function readTokenSettings(json: string): TokenSettings {
  return z.parse(settings, JSON.parse(json));
}
