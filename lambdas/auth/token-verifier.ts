import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SecretVersion } from '../../core/auth/secret-keys.ts';
import { createVerifyToken } from '../../core/auth/tokens.ts';
import type { VerifyToken } from '../../core/auth/verified-token.ts';
import type { CallVerifier } from '../../core/auth/verifier-function.ts';
import { systemClock as clock } from '../../core/clock.ts';
import { createInvoke, FunctionError } from '../../core/targets/invoke.ts';
import { withTimeout } from '../../core/targets/send.ts';
import { tokenCheckTimeoutMs } from '../../core/timing.ts';
import { readEndpoint, type ReadEnvironment } from '../environment.ts';

export function createTokenVerifier({ TOKENS }: Pick<ReadEnvironment<'authorize'>, 'TOKENS'>): VerifyToken {
  const secrets = new SecretsManagerClient({});
  return createVerifyToken(TOKENS, {
    readSecret: (arn, version) => readSecret(secrets, arn, version),
    callVerifier,
    clock,
  });
}

async function readSecret(
  client: SecretsManagerClient,
  SecretId: string,
  VersionStage: SecretVersion,
): Promise<string | undefined> {
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId, VersionStage }))).SecretString;
  } catch (cause) {
    // A secret that was never rotated has no previous version.
    if (VersionStage === 'AWSPREVIOUS' && cause instanceof ResourceNotFoundException) return undefined;
    throw cause;
  }
}

function callVerifier(arn: string): CallVerifier {
  const invoke = withTimeout(createInvoke(arn, { endpoint: readEndpoint() }), tokenCheckTimeoutMs);
  return async (event) => {
    try {
      return await invoke(event);
    } catch (cause) {
      // Without its cause: what the function said may quote the token, which no log may hold.
      if (cause instanceof FunctionError)
        throw new Error('The function verifyToken failed. Its own log says why.');
      throw cause;
    }
  };
}
