import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../clock.ts';

/** Resolves to the text of a secret. */
export type ReadSecret = (arn: string, signal: AbortSignal) => Promise<string>;

/** A rotated secret is used after this at the latest. */
const secretLifetimeMs = 5 * 60_000;

/** Reads each secret once in five minutes for each function environment. */
export function createSecretReader(clock: Pick<Clock, 'now'>): ReadSecret {
  const secrets = new Map<string, { readonly text: string; readonly readAt: number }>();
  let client: SecretsManagerClient | undefined;
  return async (arn, signal) => {
    const known = secrets.get(arn);
    if (known && clock.now() - known.readAt < secretLifetimeMs) return known.text;
    // Not earlier: a function without endpoints needs no client.
    client ??= new SecretsManagerClient({});
    const readAt = clock.now();
    const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: arn }), {
      abortSignal: signal,
    });
    if (text === undefined) throw new Error(`The secret ${arn} holds no text.`);
    secrets.set(arn, { text, readAt });
    return text;
  };
}
