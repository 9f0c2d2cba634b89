import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createTokenVerifier } from '../../../lambdas/auth/token-verifier.ts';
import { json, useEndpoint } from '../../core/targets/endpoint.ts';
import { secretArn, tokenSettings } from '../../token-settings.ts';
import { tokenOf } from '../functions-under-test.ts';

const secret = 'a secret of at least thirty-two characters';
const next = `${secret} (2)`;
const tokenBy = (key: string) => tokenOf({ sub: '42', exp: Math.floor(Date.now() / 1000) + 60 }, key);

describe('the secret in Secrets Manager', () => {
  const secrets = mockClient(SecretsManagerClient);
  const versionOf = (VersionStage: string) =>
    secrets.on(GetSecretValueCommand, { SecretId: secretArn, VersionStage });
  const notFound = new ResourceNotFoundException({ message: 'no such version', $metadata: {} });
  afterEach(() => secrets.reset());

  it('is read in both versions for a token that the current one did not sign', async () => {
    versionOf('AWSCURRENT').resolves({ SecretString: next });
    versionOf('AWSPREVIOUS').resolves({ SecretString: secret });
    const verify = createTokenVerifier({ TOKENS: tokenSettings });
    expect(await verify(tokenBy(next))).toMatchObject({ ok: true });
    expect(await verify(tokenBy(secret))).toMatchObject({ ok: true });
  });

  it('has no previous version before its first rotation, which is no fault', async () => {
    versionOf('AWSCURRENT').resolves({ SecretString: secret });
    versionOf('AWSPREVIOUS').rejects(notFound);
    const verify = createTokenVerifier({ TOKENS: tokenSettings });
    expect(await verify(tokenBy(next))).toMatchObject({ ok: false });
    expect(await verify(tokenBy(secret))).toMatchObject({ ok: true });
  });

  it('that is missing is a fault', async () => {
    versionOf('AWSCURRENT').rejects(notFound);
    await expect(createTokenVerifier({ TOKENS: tokenSettings })(tokenBy(secret))).rejects.toBe(notFound);
  });

  it('whose previous version cannot be read is a fault', async () => {
    const denied = new Error('AccessDeniedException');
    versionOf('AWSCURRENT').resolves({ SecretString: secret });
    versionOf('AWSPREVIOUS').rejects(denied);
    await expect(createTokenVerifier({ TOKENS: tokenSettings })(tokenBy(next))).rejects.toBe(denied);
  });
});

describe('a function that verifies tokens', () => {
  const endpoint = useEndpoint();
  const verifier = 'arn:aws:lambda:us-east-1:123456789012:function:verify';
  const verify = (token: string) =>
    createTokenVerifier({ TOKENS: { ...tokenSettings, secret: undefined, verifier } })(token);

  beforeEach(() => {
    vi.stubEnv('AWS_ENDPOINT_URL', endpoint.url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  });
  afterEach(() => vi.unstubAllEnvs());

  it('is invoked with the token', async () => {
    endpoint.respond = json({ sub: 'a', exp: Math.floor(Date.now() / 1000) + 60 });
    expect(await verify('opaque')).toMatchObject({ ok: true, token: { identity: { userId: 'a' } } });
    const { path, body } = await endpoint.requests.next();
    expect(decodeURIComponent(path)).toBe(`/2015-03-31/functions/${verifier}/invocations`);
    expect(JSON.parse(body)).toEqual({ token: 'opaque' });
  });

  it('that throws is a fault, which does not repeat what it said about the token', async () => {
    endpoint.respond = json({ errorMessage: 'bad token: swordfish' }, 200, {
      'x-amz-function-error': 'Unhandled',
    });
    await expect(verify('swordfish')).rejects.toEqual(
      new Error('The function verifyToken failed. Its own log says why.'),
    );
  });

  it('that may not be invoked is a fault, in the words of Lambda', async () => {
    endpoint.respond = json({ Message: 'not authorized' }, 403, {
      'x-amzn-errortype': 'AccessDeniedException',
    });
    await expect(verify('swordfish')).rejects.toThrow(
      '403 AccessDeniedException: {"Message":"not authorized"}',
    );
  });

  it('that does not answer is a fault, half a handshake later', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());
    onTestFinished(() => timeout.mockRestore());
    await expect(verify('swordfish')).rejects.toThrow('There was no answer within 5000 ms.');
    expect(timeout).toHaveBeenCalledWith(5_000);
  });
});
