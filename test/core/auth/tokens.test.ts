import fc from 'fast-check';
import { UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { readTokenSettings } from '../../../core/auth/settings.ts';
import { tokenSettings } from '../../token-settings.ts';
import {
  createSigningKey,
  createVerifier,
  nowMs,
  nowSeconds,
  payload,
  secret,
  sign,
} from './tokens-under-test.ts';

const verify = createVerifier();

describe('a token', () => {
  it.each(['HS256', 'HS384', 'HS512'])(
    'signed by %s with the secret names its user, of the default type and tenant',
    async (alg) => {
      expect(await verify(await sign(payload, secret, { alg }))).toEqual({
        ok: true,
        token: {
          identity: { tenant: 'default', userType: 'member', userId: '42' },
          expiresAt: (nowSeconds + 60) * 1000,
          rights: { topics: [], watch: [] },
          claims: {},
        },
      });
    },
  );

  it('may name type, tenant, rights and the time of its issue', async () => {
    const rights = {
      topics: ['orders.*', 'a/b'],
      send: ['order-*', 'say hello'],
      watch: ['agent:*', 'news'],
    };
    const token = await sign({
      ...payload,
      iat: nowSeconds - 5,
      userType: 'admin',
      tenant: 'acme',
      ...rights,
    });
    expect(await verify(token)).toMatchObject({
      ok: true,
      token: {
        identity: { tenant: 'acme', userType: 'admin', userId: '42' },
        issuedAt: nowMs - 5_000,
        rights,
      },
    });
  });

  it('may carry its claims under other names, the user id too', async () => {
    const names = {
      userId: 'https://acme/uid',
      userType: 'role',
      tenant: 'org',
      topics: 'channels',
      send: 'types',
      watch: 'peers',
      contentAs: 'form',
    };
    const own = {
      'https://acme/uid': '42',
      role: 'admin',
      org: 'acme',
      channels: ['x'],
      types: ['y'],
      peers: ['z'],
      form: 'text',
    };
    const verifyOwn = createVerifier({ names });
    expect(await verifyOwn(await sign({ ...own, exp: payload.exp }))).toMatchObject({
      ok: true,
      token: {
        identity: { tenant: 'acme', userType: 'admin', userId: '42' },
        rights: { topics: ['x'], send: ['y'], watch: ['z'] },
        contentAs: 'text',
      },
    });
    expect(await verifyOwn(await sign(payload))).toEqual({
      ok: false,
      reason: 'claim https://acme/uid is invalid',
    });
  });

  it('is valid until its expiry, and from five seconds before its nbf on', async () => {
    const token = await sign({ ...payload, nbf: nowSeconds });
    const verifyAt = (now: number) => createVerifier({}, { clock: { now: () => now } })(token);
    expect(await verifyAt(nowMs)).toMatchObject({ ok: true });
    expect(await verifyAt(nowMs + 59_999)).toMatchObject({ ok: true });
    expect(await verifyAt(nowMs + 60_000)).toMatchObject({ ok: false });
    expect(await verifyAt(nowMs - 5_000)).toMatchObject({ ok: true });
    expect(await verifyAt(nowMs - 6_000)).toMatchObject({ ok: false });
  });
});

describe('a token is refused, and the reason quotes no part of it,', () => {
  it.each<{ what: string; token: () => string | Promise<string>; reason: RegExp }>([
    { what: 'when it is empty', token: () => '', reason: /no JWT/ },
    { what: 'when it is garbage', token: () => 'swordfish', reason: /no JWT/ },
    { what: 'when it has the shape only', token: () => 'swordfish.swordfish.swordfish', reason: /no JWT/ },
    { what: 'when it has expired', token: () => sign({ ...payload, exp: nowSeconds }), reason: /exp/ },
    { what: 'without exp', token: () => sign({ sub: 'swordfish' }), reason: /claim exp is invalid/ },
    {
      what: 'with an exp that is not a number',
      token: () => sign({ sub: 'swordfish', exp: '9999999999' }),
      reason: /exp/,
    },
    { what: 'without sub', token: () => sign({ exp: payload.exp }), reason: /sub/ },
    { what: 'with an empty sub', token: () => sign({ ...payload, sub: '' }), reason: /sub/ },
    {
      what: 'with an nbf in the future',
      token: () => sign({ ...payload, nbf: nowSeconds + 6 }),
      reason: /nbf/,
    },
    {
      what: 'signed with another secret',
      token: () => sign({ ...payload, sub: 'swordfish' }, `${secret}!`),
      reason: /^ERR_JWS_SIGNATURE_VERIFICATION_FAILED$/,
    },
    {
      what: 'with alg none',
      token: () => new UnsecuredJWT({ ...payload, sub: 'swordfish' }).encode(),
      reason: /alg or iss is not accepted/,
    },
    {
      what: 'signed by RS256 with a key of its own',
      token: async () => (await createSigningKey('k')).sign(payload),
      reason: /alg or iss is not accepted/,
    },
    {
      what: 'with an unknown critical header',
      token: () => withHeader({ alg: 'HS256', crit: ['swordfish'], swordfish: 1 }),
      reason: /NOT_SUPPORTED/,
    },
    {
      what: 'with an unknown algorithm',
      token: () => withHeader({ alg: 'swordfish' }),
      reason: /alg or iss/,
    },
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
      what: 'with topics that are an object',
      token: () => sign({ ...payload, topics: { swordfish: true } }),
      reason: /topics/,
    },
    {
      what: 'with a space in a topic',
      token: () => sign({ ...payload, topics: ['a', 'swordfish b'] }),
      reason: /topics\.1/,
    },
  ])('$what', async ({ token, reason }) => {
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

  it('when its header is any JSON', async () => {
    const headers = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'));
    const end = withHeader({}).slice('e30'.length);
    await fc.assert(fc.asyncProperty(headers, async (header) => !(await verify(`${header}${end}`)).ok));
  });
});

describe('the settings of tokens', () => {
  it('are read from JSON, with all names', () => {
    expect(readTokenSettings(JSON.stringify(tokenSettings))).toEqual(tokenSettings);
    expect(() => readTokenSettings(JSON.stringify({ ...tokenSettings, names: { userId: 'sub' } }))).toThrow(
      /watch/,
    );
    expect(() => readTokenSettings('sub')).toThrow(SyntaxError);
  });
});

describe('the reason of a refusal', () => {
  it('names every claim that is wrong', async () => {
    const token = await sign({ ...payload, userType: 'a b', tenant: 'a b' });
    expect(await verify(token)).toEqual({ ok: false, reason: 'claim userType, tenant is invalid' });
  });

  it('names the time that was wrong', async () => {
    const token = await sign({ ...payload, exp: nowSeconds - 5 });
    expect(await verify(token)).toEqual({ ok: false, reason: 'ERR_JWT_EXPIRED: exp (check_failed)' });
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
    await expect(createVerifier({}, { clock })(await sign(payload))).rejects.toBe(fault);
  });
});

function withHeader(header: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode(header)}.${encode(payload)}.c2lnbmF0dXJl`;
}
