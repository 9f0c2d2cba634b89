import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { authorizerContext, readContext } from '../../../lambdas/auth/authorizer-context.ts';
import { readTokenClaims, type TokenClaims } from '../../../core/auth/claims.ts';
import { verifyToken } from '../../../core/auth/tokens.ts';
import type { TokenVerdict, VerifiedToken } from '../../../core/auth/verified-token.ts';

const nowMs = Date.UTC(2026, 10, 20, 12);
const nowSeconds = nowMs / 1000;
const secret = 'a secret of at least thirty-two characters';
const usualClaims: TokenClaims = { userId: 'sub', userType: 'userType', tenant: 'tenant', topics: 'topics' };
const payload = { sub: '42', exp: nowSeconds + 60 };

describe('a token', () => {
  it('signed with the secret names its user, of the default type and tenant', async () => {
    expect(await verify(await sign(payload))).toEqual({
      ok: true,
      token: {
        identity: { tenant: 'default', userType: 'member', userId: '42' },
        expiresAt: (nowSeconds + 60) * 1000,
        rights: { topics: [], watch: [] },
        claims: {},
      },
    });
  });

  it('may name type, tenant and topics', async () => {
    const token = await sign({ ...payload, userType: 'admin', tenant: 'acme', topics: ['orders.*', 'a/b'] });
    expect(await verify(token)).toMatchObject({
      ok: true,
      token: {
        identity: { tenant: 'acme', userType: 'admin', userId: '42' },
        rights: { topics: ['orders.*', 'a/b'] },
      },
    });
  });

  it('may carry its claims under other names, the user id too', async () => {
    const claims = { userId: 'https://acme/uid', userType: 'role', tenant: 'org', topics: 'channels' };
    const own = { 'https://acme/uid': '42', role: 'admin', org: 'acme', channels: ['x'], exp: payload.exp };
    expect(await verify(await sign(own), claims)).toMatchObject({
      ok: true,
      token: { identity: { tenant: 'acme', userType: 'admin', userId: '42' }, rights: { topics: ['x'] } },
    });
    expect(await verify(await sign(payload), claims)).toMatchObject({ ok: false });
  });

  it('is valid until its expiry, and from its nbf on', async () => {
    const token = await sign({ ...payload, nbf: nowSeconds });
    expect(await verify(token, usualClaims, nowMs)).toMatchObject({ ok: true });
    expect(await verify(token, usualClaims, nowMs + 59_999)).toMatchObject({ ok: true });
    expect(await verify(token, usualClaims, nowMs + 60_000)).toMatchObject({ ok: false });
    expect(await verify(token, usualClaims, nowMs - 1_000)).toMatchObject({ ok: false });
  });
});

describe('a token is refused, and the reason quotes no part of it,', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

  it.each<{ what: string; token: () => string | Promise<string>; reason?: RegExp }>([
    { what: 'when it is empty', token: () => '' },
    { what: 'when it is garbage', token: () => 'swordfish' },
    { what: 'when it has the shape only', token: () => 'swordfish.swordfish.swordfish' },
    {
      what: 'when it has expired',
      token: () => sign({ ...payload, exp: nowSeconds }),
      reason: /exp/,
    },
    { what: 'without exp', token: () => sign({ sub: 'swordfish' }), reason: /exp/ },
    {
      what: 'with an exp that is not a number',
      token: () => sign({ sub: 'swordfish', exp: '9999999999' }),
      reason: /exp/,
    },
    { what: 'without sub', token: () => sign({ exp: payload.exp }), reason: /sub/ },
    { what: 'with an empty sub', token: () => sign({ ...payload, sub: '' }), reason: /sub/ },
    { what: 'with a numeric sub', token: () => sign({ ...payload, sub: 42 }), reason: /sub/ },
    {
      what: 'with an nbf in the future',
      token: () => sign({ ...payload, nbf: nowSeconds + 1 }),
      reason: /nbf/,
    },
    {
      what: 'signed with another secret',
      token: () => sign({ ...payload, sub: 'swordfish' }, `${secret}!`),
      reason: /SIGNATURE/,
    },
    { what: 'with alg none', token: () => new UnsecuredJWT({ ...payload, sub: 'swordfish' }).encode() },
    { what: 'with another HMAC', token: () => sign(payload, secret, { alg: 'HS512' }), reason: /ALG/ },
    {
      what: 'signed by RS256 with a key of its own',
      token: () => new SignJWT(payload).setProtectedHeader({ alg: 'RS256' }).sign(privateKey),
      reason: /ALG/,
    },
    {
      what: 'signed by HS256 with a public key as the secret',
      token: () => sign({ ...payload, sub: 'swordfish' }, publicPem),
      reason: /SIGNATURE/,
    },
    {
      what: 'with an unknown critical header',
      token: () => withHeader({ alg: 'HS256', crit: ['swordfish'], swordfish: 1 }),
    },
    { what: 'with an unknown algorithm', token: () => withHeader({ alg: 'swordfish' }) },
    { what: 'with a # in the user id', token: () => sign({ ...payload, sub: 'swordfish#1' }), reason: /sub/ },
    {
      what: 'with a : in the user type',
      token: () => sign({ ...payload, userType: 'swordfish:1' }),
      reason: /userType/,
    },
    {
      what: 'with a space in the tenant',
      token: () => sign({ ...payload, tenant: 'sword fish' }),
      reason: /tenant/,
    },
    {
      what: 'with a user id of 129',
      token: () => sign({ ...payload, sub: 'swordfish'.repeat(15) }),
      reason: /sub/,
    },
    {
      what: 'with topics that are not a list',
      token: () => sign({ ...payload, topics: 'swordfish' }),
      reason: /topics/,
    },
    {
      what: 'with a space in a topic',
      token: () => sign({ ...payload, topics: ['a', 'swordfish b'] }),
      reason: /topics\.1/,
    },
  ])('$what', async ({ token, reason = /./ }) => {
    const jwt = await token();
    const verdict = await verify(jwt);
    expect(verdict).toMatchObject({ ok: false, reason: expect.stringMatching(reason) as string });
    expect(JSON.stringify(verdict)).not.toMatch(/sword|fish/);
    for (const part of jwt.split('.').filter((text) => text !== ''))
      expect(JSON.stringify(verdict)).not.toContain(part);
  });

  it('when it is random text, and the check does not throw', async () => {
    const base64 = fc.string().map((text) => Buffer.from(text).toString('base64url'));
    const header = fc.json().map((json) => Buffer.from(json).toString('base64url'));
    const texts = fc.oneof(
      fc.string(),
      fc.array(fc.oneof(base64, header), { maxLength: 5 }).map((parts) => parts.join('.')),
    );
    await fc.assert(fc.asyncProperty(texts, async (text) => !(await verify(text)).ok));
  });
});

describe('the authorizer context', () => {
  it('holds only strings, and is read back unchanged', () => {
    const token: VerifiedToken = {
      identity: { tenant: 'acme', userType: 'member', userId: '42' },
      issuedAt: 1_000,
      expiresAt: 2_000,
      rights: { topics: ['orders.*', 'a/b'], send: ['order *'], watch: ['member:*'] },
      claims: { role: 'clerk' },
    };
    const context = authorizerContext(token);
    expect(new Set(Object.values(context).map((value) => typeof value))).toEqual(new Set(['string']));
    expect(readContext(context)).toEqual(token);
  });

  it('of an earlier version is read: every type may be sent, and nobody watched', () => {
    const context = { tenant: 'acme', userType: 'member', userId: '42', tokenExpiresAt: '2000', topics: '' };
    expect(readContext(context)).toEqual({
      identity: { tenant: 'acme', userType: 'member', userId: '42' },
      expiresAt: 2_000,
      rights: { topics: [], watch: [] },
      claims: {},
    });
  });
});

describe('the names of the claims', () => {
  it('are read from JSON, all four', () => {
    expect(readTokenClaims(JSON.stringify(usualClaims))).toEqual(usualClaims);
    expect(() => readTokenClaims('{"userId":"sub"}')).toThrow(/userType/);
    expect(() => readTokenClaims('sub')).toThrow(SyntaxError);
  });
});

describe('the reason of a refusal', () => {
  it('names every claim that is wrong', async () => {
    const token = await sign({ ...payload, userType: 'a b', tenant: 'a b' });
    expect(await verify(token)).toEqual({ ok: false, reason: 'claim userType, tenant is invalid' });
  });

  it('is the code alone if no claim is at fault', async () => {
    const token = await sign(payload, 'another secret of at least thirty-two characters');
    expect(await verify(token)).toEqual({ ok: false, reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
  });
});

describe("a fault that is not the token's", () => {
  it('is thrown as it is', async () => {
    const fault = new Error('The clock is broken.');
    const clock = {
      now() {
        throw fault;
      },
    };
    const token = await sign(payload);
    await expect(verifyToken(token, { secret, claims: usualClaims, clock })).rejects.toBe(fault);
  });
});

function verify(token: string, claims = usualClaims, atMs = nowMs): Promise<TokenVerdict> {
  return verifyToken(token, { secret, claims, clock: { now: () => atMs } });
}

/** Claims of any kind: some of the tokens are wrong on purpose. */
function sign(claims: Record<string, unknown>, key = secret, header = { alg: 'HS256' }): Promise<string> {
  const wrongOnPurpose = claims as JWTPayload;
  return new SignJWT(wrongOnPurpose).setProtectedHeader(header).sign(new TextEncoder().encode(key));
}

function withHeader(header: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode(header)}.${encode(payload)}.c2lnbmF0dXJl`;
}
