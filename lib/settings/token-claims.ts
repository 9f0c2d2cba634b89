import * as z from 'zod/mini';

export const claimName = z.string().check(z.minLength(1), z.maxLength(128));

/** The claim names that RFC 7519 registers, except `sub`, which may hold the user id. */
const reserved = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'];

/** The setting `tokenClaims`: the name that each claim has in the tokens. */
export const tokenClaims = z
  .strictObject({
    userId: z._default(claimName, 'sub'),
    userType: z._default(claimName, 'userType'),
    tenant: z._default(claimName, 'tenant'),
    topics: z._default(claimName, 'topics'),
    send: z._default(claimName, 'send'),
    watch: z._default(claimName, 'watch'),
    contentAs: z._default(claimName, 'contentAs'),
  })
  .check(
    z.refine((names) => {
      const all: readonly string[] = Object.values(names);
      return new Set(all).size === all.length && !all.some((name) => reserved.includes(name));
    }),
  );
