import { exportJWK, exportSPKI, generateSecret, type JWTHeaderParameters, UnsecuredJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TokenSettings } from '../../../core/auth/settings.ts';
import { json, useEndpoint } from '../targets/endpoint.ts';
import {
  createSigningKey,
  createVerifier,
  nowMs,
  nowSeconds,
  payload,
  secret,
  sign,
  type SigningKey,
} from './tokens-under-test.ts';

const endpoint = useEndpoint();
const issuer = 'https://id.example';
const claims = { ...payload, iss: issuer, aud: 'app' };
let key: SigningKey;
let foreign: SigningKey;

beforeAll(async () => {
  [key, foreign] = await Promise.all([createSigningKey('k1'), createSigningKey('k1')]);
});
// The library that caches the keys looks at the clock of the machine.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: nowMs });
  endpoint.respond = json({ keys: [key.jwk] });
});
afterEach(() => vi.useRealTimers());

function keySets(): TokenSettings['keySets'] {
  return [{ jwksUrl: `${endpoint.url}/keys`, issuer, audience: ['app', 'other-app'] }];
}

/** Accepts tokens of the issuer alone, unless the settings say more. */
function verifier(settings: Partial<TokenSettings> = {}) {
  return createVerifier(
    { secret: undefined, keySets: keySets(), ...settings },
    { clock: { now: () => Date.now() } },
  );
}

describe('a token of an issuer', () => {
  it.each(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
    'is verified by its key for %s',
    async (alg) => {
      const own = await createSigningKey('own', alg);
      endpoint.respond = json({ keys: [key.jwk, own.jwk] });
      expect(await verifier()(await own.sign(claims))).toMatchObject({
        ok: true,
        token: { identity: { userId: '42' } },
      });
    },
  );

  it('may be for one of several audiences', async () => {
    const verify = verifier();
    expect(await verify(await key.sign({ ...claims, aud: ['third', 'other-app'] }))).toMatchObject({
      ok: true,
    });
    expect(await verify(await key.sign({ ...claims, aud: ['third'] }))).toMatchObject({ ok: false });
  });

  it('is verified beside tokens of the secret, each by its own', async () => {
    const verify = createVerifier({ keySets: keySets() });
    expect(await verify(await key.sign(claims))).toMatchObject({ ok: true });
    expect(await verify(await sign(payload))).toMatchObject({ ok: true });
  });

  it('is verified by the keys of that issuer and of no other', async () => {
    const other = { jwksUrl: `${endpoint.url}/other`, issuer: 'https://other.example', audience: ['app'] };
    endpoint.respond = (response, request) =>
      json({ keys: [request.path === '/other' ? foreign.jwk : key.jwk] })(response, request);
    const verify = verifier({ keySets: [...keySets(), other] });
    expect(await verify(await key.sign(claims))).toMatchObject({ ok: true });
    expect(await verify(await foreign.sign({ ...claims, iss: other.issuer }))).toMatchObject({ ok: true });
    expect(await verify(await foreign.sign(claims))).toMatchObject({ ok: false });
    expect(await verify(await key.sign({ ...claims, iss: other.issuer }))).toMatchObject({ ok: false });
  });
});

describe('an attack is refused:', () => {
  const pem = () => exportSPKI(key.publicKey);
  const jwk = async () => JSON.stringify(await exportJWK(key.publicKey));
  const header = (own: Partial<JWTHeaderParameters>) => () => foreign.sign(claims, own);

  it.each<{ what: string; token: () => Promise<string> | string; reason: RegExp }>([
    { what: 'alg none', token: () => new UnsecuredJWT(claims).encode(), reason: /alg or iss|NOT_ALLOWED/ },
    {
      what: 'the public key as PEM for a secret',
      token: async () => sign(claims, await pem()),
      reason: /no secret/,
    },
    {
      what: 'the public key as JWK for a secret',
      token: async () => sign(claims, await jwk()),
      reason: /no secret/,
    },
    { what: 'a token of the secret', token: () => sign(claims), reason: /no secret/ },
    { what: 'another key with the same id', token: () => foreign.sign(claims), reason: /SIGNATURE/ },
    {
      what: 'a wrong issuer',
      token: () => key.sign({ ...claims, iss: 'https://id.example/' }),
      reason: /iss/,
    },
    { what: 'no issuer', token: () => key.sign({ ...claims, iss: undefined }), reason: /iss/ },
    { what: 'a list of issuers', token: () => key.sign({ ...claims, iss: [issuer] }), reason: /iss/ },
    { what: 'a wrong audience', token: () => key.sign({ ...claims, aud: 'third' }), reason: /aud/ },
    { what: 'no audience', token: () => key.sign({ ...claims, aud: undefined }), reason: /aud/ },
    { what: 'not yet valid', token: () => key.sign({ ...claims, nbf: nowSeconds + 10 }), reason: /nbf/ },
    { what: 'expired', token: () => key.sign({ ...claims, exp: nowSeconds }), reason: /exp/ },
    { what: 'no exp', token: () => key.sign({ ...claims, exp: undefined }), reason: /exp/ },
    {
      what: 'exp in milliseconds',
      token: () => key.sign({ ...claims, exp: nowMs + 60_000 }),
      reason: /seconds/,
    },
    { what: 'exp 1e300', token: () => key.sign({ ...claims, exp: 1e300 }), reason: /seconds/ },
    { what: 'iat in the future', token: () => key.sign({ ...claims, iat: nowSeconds + 60 }), reason: /iat/ },
    { what: 'an unknown kid', token: () => key.sign(claims, { kid: 'k2' }), reason: /NO_MATCHING_KEY/ },
    { what: 'jku', token: header({ kid: 'k2', jku: 'http://127.0.0.1:9/keys' }), reason: /NO_MATCHING_KEY/ },
    { what: 'x5u', token: header({ kid: 'k2', x5u: 'http://127.0.0.1:9/cert' }), reason: /NO_MATCHING_KEY/ },
    {
      what: 'jwk',
      token: async () => foreign.sign(claims, { jwk: await exportJWK(foreign.publicKey) }),
      reason: /SIGNATURE/,
    },
    { what: 'x5c', token: header({ x5c: ['MIIB'] }), reason: /SIGNATURE/ },
    { what: 'a JWE', token: () => 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0....', reason: /no JWT/ },
  ])('$what', async ({ token, reason }) => {
    expect(await verifier()(await token())).toEqual({
      ok: false,
      reason: expect.stringMatching(reason) as string,
    });
  });

  it('the public key as a secret, in a stack that has both', async () => {
    const verify = createVerifier({ keySets: keySets() });
    for (const text of [await pem(), await jwk()]) {
      for (const alg of ['HS256', 'HS384', 'HS512']) {
        expect(await verify(await sign(claims, text, { alg })), alg).toEqual({
          ok: false,
          reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
        });
      }
    }
  });

  it('addresses and keys in the header, without a request to them', async () => {
    const verify = verifier();
    const trap = `${endpoint.url}/trap`;
    endpoint.respond = (response, request) =>
      json({ keys: [request.path === '/trap' ? foreign.jwk : { ...key.jwk, kid: 'other' }] })(
        response,
        request,
      );
    const jwk = await exportJWK(foreign.publicKey);
    for (const own of [{ jku: trap }, { x5u: trap }, { jwk }, { x5c: ['MIIB'] }]) {
      expect(await verify(await foreign.sign(claims, own))).toMatchObject({ ok: false });
    }
    expect(await endpoint.requests.next()).toMatchObject({ path: '/keys' });
    expect(endpoint.requests.values.length).toBe(0);
  });

  it('a key that is for another algorithm', async () => {
    const verify = verifier();
    expect(await verify(await key.sign(claims))).toMatchObject({ ok: true });
    endpoint.respond = json({ keys: [{ ...key.jwk, alg: 'RS512' }] });
    expect(await verifier()(await key.sign(claims))).toEqual({
      ok: false,
      reason: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  });

  it('an algorithm that the setting leaves out', async () => {
    const verify = verifier({ keySets: keySets().map((set) => ({ ...set, algorithms: ['ES256'] })) });
    expect(await verify(await key.sign(claims))).toEqual({ ok: false, reason: 'ERR_JOSE_ALG_NOT_ALLOWED' });
  });

  it('a secret key in a key set', async () => {
    const symmetric = await exportJWK(await generateSecret('HS256', { extractable: true }));
    endpoint.respond = json({ keys: [{ ...symmetric, kid: 'k1', alg: 'RS256' }] });
    expect(await verifier()(await key.sign(claims))).toEqual({
      ok: false,
      reason: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  });
});

describe('the keys of an issuer', () => {
  it('are read once for many tokens, and again after ten minutes', async () => {
    const verify = verifier();
    const accept = async () => (await verify(await key.sign({ ...claims, exp: Date.now() / 1000 + 60 }))).ok;
    for (let n = 0; n < 5; n += 1) expect(await accept()).toBe(true);
    expect(endpoint.requests.values.length).toBe(1);
    vi.setSystemTime(nowMs + 601_000);
    endpoint.respond = json({ keys: [] });
    expect(await accept()).toBe(false);
  });

  it('are read again for an unknown key id, once in 30 s for a flood of them', async () => {
    const verify = verifier();
    const flood = async () => {
      for (let n = 0; n < 100; n += 1) await verify(await foreign.sign(claims, { kid: `unknown ${n}` }));
    };
    await flood();
    expect(endpoint.requests.values.length).toBe(1);
    vi.setSystemTime(nowMs + 31_000);
    await flood();
    expect(endpoint.requests.values.length).toBe(2);

    const fresh = await createSigningKey('fresh');
    endpoint.respond = json({ keys: [key.jwk, fresh.jwk] });
    expect(await verify(await fresh.sign(claims))).toMatchObject({ ok: false });
    vi.setSystemTime(nowMs + 62_000 - 20_000);
    const late = { ...claims, exp: nowSeconds + 120 };
    expect(await verify(await fresh.sign(late))).toMatchObject({ ok: false });
    vi.setSystemTime(nowMs + 62_000);
    expect(await verify(await fresh.sign(late))).toMatchObject({ ok: true });
    expect(endpoint.requests.values.length).toBe(3);
  });

  it('are not read for a token of an unknown issuer', async () => {
    await verifier()(await foreign.sign({ ...claims, iss: 'https://evil.example' }));
    expect(endpoint.requests.values.length).toBe(0);
  });

  it.each<[string, () => void]>([
    ['an error', () => (endpoint.respond = json({}, 503))],
    ['text that is not JSON', () => (endpoint.respond = (response) => response.end('swordfish'))],
    ['JSON that is no key set', () => (endpoint.respond = json({ keys: 'none' }))],
    [
      'a redirect',
      () => (endpoint.respond = (response) => response.writeHead(302, { location: '/elsewhere' }).end()),
    ],
    ['nothing', () => (endpoint.respond = (response) => response.destroy())],
  ])('whose endpoint answers with %s are a fault that names the endpoint', async (_what, answer) => {
    answer();
    await expect(verifier()(await key.sign(claims))).rejects.toThrow(
      `The keys of the token issuer at ${endpoint.url}/keys cannot be used`,
    );
    expect(endpoint.requests.values.length).toBe(1);
  });

  it('whose endpoint does not answer are a fault, half a handshake later', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort(timeoutError()));
    onTestFinished(() => timeout.mockRestore());
    await expect(verifier()(await key.sign(claims))).rejects.toThrow('cannot be used: JWKSTimeout');
    expect(timeout).toHaveBeenCalledWith(5_000);
  });

  it('whose endpoint fails are not asked for again for 5 s, and work again after that', async () => {
    const verify = verifier();
    endpoint.respond = json({}, 503);
    const token = await key.sign(claims);
    for (let n = 0; n < 100; n += 1) await expect(verify(token)).rejects.toThrow('cannot be used');
    expect(endpoint.requests.values.length).toBe(1);
    endpoint.respond = json({ keys: [key.jwk] });
    vi.setSystemTime(nowMs + 5_000);
    expect(await verify(token)).toMatchObject({ ok: true });
  });

  it('verify tokens of known keys while the endpoint fails for an unknown one', async () => {
    const verify = verifier();
    expect(await verify(await key.sign(claims))).toMatchObject({ ok: true });
    endpoint.respond = json({}, 503);
    vi.setSystemTime(nowMs + 31_000);
    await expect(verify(await foreign.sign(claims, { kid: 'unknown' }))).rejects.toThrow('cannot be used');
    expect(await verify(await key.sign(claims))).toMatchObject({ ok: true });
  });

  it('without ids are told apart by the algorithm, and refused if several could be meant', async () => {
    const [rsa, otherRsa] = await Promise.all([createSigningKey(undefined), createSigningKey(undefined)]);
    const ec = await createSigningKey(undefined, 'ES256');
    endpoint.respond = json({ keys: [rsa.jwk, ec.jwk] });
    expect(await verifier()(await rsa.sign(claims))).toMatchObject({ ok: true });
    endpoint.respond = json({ keys: [rsa.jwk, otherRsa.jwk] });
    expect(await verifier()(await rsa.sign(claims))).toEqual({
      ok: false,
      reason: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
    });
  });
});

it('a token of the secret needs no issuer, and asks no endpoint', async () => {
  const verify = createVerifier({ keySets: keySets() });
  expect(await verify(await sign({ ...claims, iss: 'https://evil.example' }, secret))).toMatchObject({
    ok: true,
  });
  expect(endpoint.requests.values.length).toBe(0);
});

function timeoutError(): DOMException {
  return new DOMException('The operation was aborted due to timeout', 'TimeoutError');
}
