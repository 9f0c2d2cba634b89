import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createTokenSecret } from './token-secret.ts';
import { readTokenClaims, type TokenVerdict, verifyToken } from '../core/auth/tokens.ts';

/** Verifies tokens as the stack is set up to. */
export function buildVerifier(environment: { TOKEN_SECRET_ARN: string; TOKEN_CLAIMS: string }) {
  const claims = readTokenClaims(environment.TOKEN_CLAIMS);
  const secret = createTokenSecret(new SecretsManagerClient({}), environment.TOKEN_SECRET_ARN);
  return async (jwt: string): Promise<TokenVerdict> =>
    verifyToken(jwt, { secret: await secret(), claims, now: Date.now });
}
