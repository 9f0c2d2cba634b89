import { Token } from 'aws-cdk-lib';
import * as z from 'zod/mini';
import { keyAlgorithms } from '../../core/auth/algorithms.ts';
import { urlFault } from '../../core/targets/rules.ts';

const text = z.string().check(z.minLength(1), z.maxLength(512));

/** The issuers whose tokens are accepted, as the setting `tokenIssuer` gives them. */
export type TokenIssuer =
  | 'secret'
  | {
      /** Where the issuer publishes its public keys: `https://…`. */
      readonly jwksUrl: string;
      /** What the claim `iss` must be. */
      readonly issuer: string;
      /** What the claim `aud` must hold: this, or one of these. */
      readonly audience: string | readonly string[];
      /** @default - all that use public keys: RS256, PS256, ES256, EdDSA, … */
      readonly algorithms?: readonly (typeof keyAlgorithms)[number][] | undefined;
    };

const keySet = z.strictObject({
  jwksUrl: text.check(z.refine(isKeyAddress)),
  issuer: text,
  audience: z.pipe(z.transform(oneOrMore), z.array(text).check(z.minLength(1))),
  algorithms: z.optional(z.array(z.enum(keyAlgorithms)).check(z.minLength(1))),
});

/** The setting `tokenIssuer`: one issuer or a list, each of them once. */
export const tokenIssuer = z.pipe(
  z.transform(oneOrMore),
  z.array(z.union([z.literal('secret'), keySet])).check(
    z.minLength(1),
    z.refine((issuers) => {
      const names = issuers.map((issuer) => (issuer === 'secret' ? issuer : `iss ${issuer.issuer}`));
      return new Set(names).size === names.length;
    }),
  ),
);

/** The id of a user pool of the same app is known only after the deployment. */
function isKeyAddress(url: string): boolean {
  return Token.isUnresolved(url) ? url.startsWith('https://') : urlFault(url) === undefined;
}

function oneOrMore(given: unknown): unknown {
  return Array.isArray(given) ? given : [given];
}
