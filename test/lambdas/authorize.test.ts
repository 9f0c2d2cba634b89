import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { createRevocations } from '../../core/sessions/revocations.ts';
import { authorizerEvent, httpAuthorizerEvent } from './events.ts';
import { tokenOf, useCloud } from './functions-under-test.ts';
import { secretArn } from '../token-settings.ts';

const cloud = useCloud();
const secret = 'a secret of at least thirty-two characters';
const inAnHour = () => Math.floor(Date.now() / 1000) + 3_600;

describe('a handshake', () => {
  it('with a valid token is allowed, and its identity is passed on as strings', async () => {
    const { authorize } = await load();
    const exp = inAnHour();
    const token = tokenOf(
      { sub: '42', exp, tenant: 'acme', userType: 'admin', topics: ['orders.*', 'a/b'] },
      secret,
    );
    const event = authorizerEvent('c1=', { token });

    expect(await authorize(event)).toEqual({
      principalId: 'acme/admin/42',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: event.methodArn }],
      },
      context: {
        tenant: 'acme',
        userType: 'admin',
        userId: '42',
        tokenExpiresAt: String(exp * 1000),
        topics: 'orders.* a/b',
      },
    });
    expectNothingOf(token, cloud.current().logged());
  });

  it.each([
    { what: 'no token', claims: undefined, headers: {}, reason: /it is no JWT/ },
    { what: 'an expired token', claims: { sub: 'swordfish', exp: 1 }, headers: {}, reason: /exp/ },
    { what: 'no user', claims: { exp: 9e9 }, headers: {}, reason: /sub/ },
    {
      what: 'an origin that is not on the list',
      claims: { sub: 'swordfish', exp: 9e9 },
      headers: { ORIGIN: 'https://evil.example' },
      reason: /origin is not allowed/,
    },
  ])(
    'with $what is denied, and the log has the reason, not the token',
    async ({ claims, headers, reason }) => {
      const { authorize } = await load();
      const token = claims && tokenOf(claims, secret);
      const answer = await authorize(authorizerEvent('c1=', token === undefined ? null : { token }, headers));

      expect(answer).toMatchObject({ policyDocument: { Statement: [{ Effect: 'Deny' }] } });
      expect(answer).not.toHaveProperty('context');
      const logged = cloud.current().logged();
      expect(logged).toContain('handshake refused');
      expect(logged).toContain('"c1="');
      expect(logged).toMatch(reason);
      expect(logged).not.toContain('swordfish');
      if (token !== undefined) expectNothingOf(token, logged);
    },
  );

  it('whose rights have more than 8 KB with their escapes is denied, and the log says so', async () => {
    const { authorize } = await load();
    const name = 'x'.repeat(128);
    const rights = (count: number) => ({ send: Array.from({ length: count }, () => '"'.repeat(120)) });
    const claims = { sub: name, tenant: name, userType: name, exp: inAnHour() };
    const open = (count: number) =>
      authorize(authorizerEvent('c1=', { token: tokenOf({ ...claims, ...rights(count) }, secret) }));
    const allowed = await open(14);
    expect(allowed).toMatchObject({ policyDocument: { Statement: [{ Effect: 'Allow' }] } });
    expect(Buffer.byteLength(JSON.stringify(allowed))).toBeLessThanOrEqual(8 * 1024);
    expect(await open(16)).toMatchObject({ policyDocument: { Statement: [{ Effect: 'Deny' }] } });
    expect(cloud.current().logged()).toContain('take over 8 KB');
  });

  it.each(['Origin', 'origin'])('from an allowed origin is allowed with the header %s', async (header) => {
    const { authorize } = await load();
    const token = tokenOf({ sub: '42', exp: inAnHour() }, secret);
    const event = authorizerEvent('c1=', { token }, { [header]: 'https://app.example.com' });
    expect(await authorize(event)).toMatchObject({ policyDocument: { Statement: [{ Effect: 'Allow' }] } });
  });

  it('with null headers, as in old events, is decided by its token', async () => {
    const { authorize } = await load();
    const token = tokenOf({ sub: '42', exp: inAnHour() }, secret);
    const answer = await authorize({ ...authorizerEvent('c1=', { token }), headers: null });
    expect(answer).toMatchObject({ policyDocument: { Statement: [{ Effect: 'Allow' }] } });
  });
});

describe('a request of a user', () => {
  const request = (headers: Record<string, string>) => httpAuthorizerEvent('POST /messages', headers);
  const bearer = (claims: object) => `Bearer ${tokenOf(claims, secret)}`;

  it('with a valid bearer token is allowed, and its identity is passed on as strings', async () => {
    const { authorize } = await load();
    const exp = inAnHour();
    const authorization = bearer({ sub: '42', exp, tenant: 'acme', userType: 'admin', topics: ['orders.*'] });
    expect(await authorize(request({ authorization, origin: 'https://app.example.com' }))).toEqual({
      isAuthorized: true,
      context: {
        tenant: 'acme',
        userType: 'admin',
        userId: '42',
        tokenExpiresAt: String(exp * 1000),
        topics: 'orders.*',
      },
    });
    expectNothingOf(authorization.slice('Bearer '.length), cloud.current().logged());
  });

  it.each([
    { what: 'no token', headers: {}, reason: /it is no JWT/ },
    { what: 'another scheme', headers: { authorization: 'Basic c3dvcmRmaXNo' }, reason: /it is no JWT/ },
    {
      what: 'an expired token',
      headers: { authorization: bearer({ sub: 'swordfish', exp: 1 }) },
      reason: /exp/,
    },
    {
      what: 'an origin that is not on the list',
      headers: {
        authorization: bearer({ sub: 'swordfish', exp: 9e9 }),
        origin: 'https://evil.example',
      },
      reason: /origin is not allowed/,
    },
  ])('with $what is denied, and the log has the reason, not the token', async ({ headers, reason }) => {
    const { authorize } = await load();
    expect(await authorize(request(headers))).toEqual({ isAuthorized: false });
    const logged = cloud.current().logged();
    expect(logged).toContain('request refused');
    expect(logged).toContain('POST /messages');
    expect(logged).toMatch(reason);
    expect(logged).not.toContain('swordfish');
  });
});

describe('a revoked token', () => {
  const exp = inAnHour();
  const tokenAt = (iat: number) => tokenOf({ sub: '42', exp, iat }, secret);

  it('is refused in a request, and a newer one is not', async () => {
    const { authorize } = await load();
    const revokedAt = await revokeNow();
    const answerTo = (token: string) =>
      authorize(httpAuthorizerEvent('POST /messages', { authorization: `Bearer ${token}` }));
    expect(await answerTo(tokenAt(revokedAt - 60))).toEqual({ isAuthorized: false });
    expect(await answerTo(tokenOf({ sub: '42', exp }, secret))).toEqual({ isAuthorized: false });
    expect(cloud.current().logged()).toContain('token was revoked');
    expect(await answerTo(tokenAt(revokedAt + 1))).toMatchObject({ isAuthorized: true });
    expect(await answerTo(tokenOf({ sub: '43', exp }, secret))).toMatchObject({ isAuthorized: true });
  });

  it('is refused in a handshake too, so that it writes no row', async () => {
    const { authorize } = await load();
    const revokedAt = await revokeNow();
    const answerTo = (token: string) => authorize(authorizerEvent('c1=', { token }));
    const deny = { policyDocument: { Statement: [{ Effect: 'Deny' }] } };
    expect(await answerTo(tokenAt(revokedAt - 60))).toMatchObject(deny);
    expect(await answerTo(tokenOf({ sub: '42', exp }, secret))).toMatchObject(deny);
    expect(cloud.current().logged()).toContain('token was revoked');
    expect(await answerTo(tokenAt(revokedAt + 1))).toMatchObject({
      context: { tokenIssuedAt: String((revokedAt + 1) * 1000) },
    });
  });

  /** Resolves to the second of the revocation. */
  async function revokeNow(): Promise<number> {
    const { db } = await import('../../lambdas/database.ts');
    const now = Date.now();
    const table = cloud.current().tables.sessions;
    const revocations = createRevocations({ db, table, clock: { now: () => now } });
    await revocations.revoke({ tenant: 'default', userType: 'member', userId: '42' });
    return Math.floor(now / 1000);
  }
});

describe('the secret', () => {
  it('is read once for many handshakes', async () => {
    const { authorize, secrets } = await load();
    const token = tokenOf({ sub: '42', exp: inAnHour() }, secret);
    await authorize(authorizerEvent('c1=', { token }));
    await authorize(authorizerEvent('c2=', { token }));
    const reads = secrets.commandCalls(GetSecretValueCommand);
    expect(reads.map(({ args }) => args[0].input)).toEqual([
      { SecretId: secretArn, VersionStage: 'AWSCURRENT' },
    ]);
  });

  it('that cannot be read is a fault (500), and the next handshake reads it again', async () => {
    const { authorize, secrets } = await load();
    secrets.on(GetSecretValueCommand).rejectsOnce(new Error('no network')).resolves({ SecretString: secret });
    const token = tokenOf({ sub: '42', exp: inAnHour() }, secret);
    await expect(authorize(authorizerEvent('c1=', { token }))).rejects.toThrow('no network');
    expect(await authorize(authorizerEvent('c2=', { token }))).toMatchObject({
      principalId: 'default/member/42',
    });
    expectNothingOf(token, cloud.current().logged());
  });
});

async function load() {
  const secrets = mockClient(SecretsManagerClient);
  secrets.on(GetSecretValueCommand).resolves({ SecretString: secret });
  const { handler } = await import('../../lambdas/authorize.ts');
  return { authorize: handler, secrets };
}

function expectNothingOf(token: string, logged: string): void {
  for (const part of [...token.split('.'), secret]) expect(logged).not.toContain(part);
}
