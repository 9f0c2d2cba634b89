import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createSecretReader } from '../../../core/targets/secrets.ts';
import { createTestClock } from '../core-under-test.ts';

const secrets = mockClient(SecretsManagerClient);
const signal = new AbortController().signal;
afterEach(() => {
  secrets.reset();
});

describe('a secret', () => {
  it('is read again after five minutes, so that a rotated one is used', async () => {
    const clock = createTestClock();
    const read = createSecretReader(clock);
    secrets.on(GetSecretValueCommand).resolvesOnce({ SecretString: 'old' }).resolves({ SecretString: 'new' });
    expect(await read('a', signal)).toBe('old');
    clock.ms += 5 * 60_000 - 1;
    expect(await read('a', signal)).toBe('old');
    clock.ms += 1;
    expect(await read('a', signal)).toBe('new');
  });

  it('is kept apart from others', async () => {
    const read = createSecretReader(createTestClock());
    for (const SecretId of ['a', 'b']) {
      secrets.on(GetSecretValueCommand, { SecretId }).resolves({ SecretString: `text of ${SecretId}` });
    }
    expect(await read('a', signal)).toBe('text of a');
    expect(await read('b', signal)).toBe('text of b');
  });

  it('that could not be read, or holds no text, is read again at once', async () => {
    const read = createSecretReader(createTestClock());
    secrets
      .on(GetSecretValueCommand)
      .rejectsOnce(new Error('throttled'))
      .resolvesOnce({})
      .resolves({ SecretString: 'text' });
    await expect(read('a', signal)).rejects.toThrow('throttled');
    await expect(read('a', signal)).rejects.toThrow('The secret a holds no text.');
    expect(await read('a', signal)).toBe('text');
  });
});
