import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { TokenClaims } from '../../core/auth/claims.ts';
import { verifyToken } from '../../core/auth/tokens.ts';
import type { VerifyToken } from '../../core/auth/verified-token.ts';
import { systemClock as clock } from '../../core/clock.ts';

export function createTokenVerifier(environment: {
  readonly TOKEN_SECRET_ARN: string;
  readonly TOKEN_CLAIMS: TokenClaims;
}): VerifyToken {
  const { TOKEN_SECRET_ARN, TOKEN_CLAIMS: claims } = environment;
  const readSecret = createSecretReader(new SecretsManagerClient({}), TOKEN_SECRET_ARN);
  return async (jwt) => verifyToken(jwt, { secret: await readSecret(), claims, clock });
}

/** Reads the secret once for each function environment. After a failed read, the next token reads it again. */
function createSecretReader(client: SecretsManagerClient, secretArn: string): () => Promise<string> {
  let secret: string | undefined;
  return async () => {
    secret ??= (await client.send(new GetSecretValueCommand({ SecretId: secretArn }))).SecretString;
    if (secret === undefined) throw new Error(`The secret ${secretArn} holds no text.`);
    return secret;
  };
}
