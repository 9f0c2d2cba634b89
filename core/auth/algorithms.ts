/** What a shared secret verifies (RFC 7518, 3.2). */
export const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const;

/** What public keys verify (RFC 7518, 3.3 to 3.5; RFC 8037, 3.1; RFC 9864, 2.2). */
export const keyAlgorithms = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const;
