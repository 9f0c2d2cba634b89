import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Reads the secret once and keeps it for the life of the function's environment; a failed read is tried again. */
export function createTokenSecret(client: SecretsManagerClient, secretArn: string): () => Promise<string> {
  let secret: string | undefined;
  return async () => {
    secret ??= (await client.send(new GetSecretValueCommand({ SecretId: secretArn }))).SecretString;
    if (secret === undefined) throw new Error(`The secret ${secretArn} holds no text.`);
    return secret;
  };
}
