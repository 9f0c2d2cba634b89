import { describe, expect, it } from 'vitest';
import { createVerifier, nowSeconds, sign, payload } from './tokens-under-test.ts';

const arn = 'arn:aws:lambda:us-east-1:123456789012:function:verify';
const claims = { sub: 42, tenant: 'acme', role: 'clerk', exp: nowSeconds + 60, iat: nowSeconds };

/** A verifier whose function gives this answer. `calls` are the events that the function got. */
function answering(answer: string, settings: Parameters<typeof createVerifier>[0] = {}) {
  const calls: unknown[] = [];
  const verify = createVerifier(
    { secret: undefined, verifier: arn, ...settings },
    {
      readSecret: () => Promise.reject(new Error('There is no secret.')),
      callVerifier: (functionArn) => (event) => {
        calls.push({ functionArn, event });
        return Promise.resolve(answer);
      },
    },
  );
  return { verify, calls };
}

describe('a function that verifies tokens', () => {
  it('gets the token as it came, and answers its claims', async () => {
    const { verify, calls } = answering(JSON.stringify(claims), { claims: ['role'] });
    expect(await verify('opaque|7')).toEqual({
      ok: true,
      token: {
        identity: { tenant: 'acme', userType: 'member', userId: '42' },
        issuedAt: nowSeconds * 1000,
        expiresAt: (nowSeconds + 60) * 1000,
        rights: { topics: [], watch: [] },
        claims: { role: 'clerk' },
      },
    });
    expect(calls).toEqual([{ functionArn: arn, event: { token: 'opaque|7' } }]);
  });

  it('gets JWTs too, which nothing else accepts then', async () => {
    const { verify, calls } = answering('null');
    expect(await verify(await sign(payload))).toEqual({ ok: false, reason: 'verifyToken answered null' });
    expect(calls).toHaveLength(1);
  });

  it('is not called for an empty token', async () => {
    const { verify, calls } = answering(JSON.stringify(claims));
    expect(await verify('')).toEqual({ ok: false, reason: 'there is no token' });
    expect(calls).toEqual([]);
  });

  it.each([
    ['no exp', { exp: undefined }, 'claim exp is invalid'],
    ['an exp in the past', { exp: nowSeconds }, 'exp has passed'],
    [
      'an exp in milliseconds',
      { exp: nowSeconds * 1000 },
      'exp is too large: it must be in seconds, not milliseconds',
    ],
    [
      'an exp too far away',
      { exp: nowSeconds + 1e8 },
      'exp is more than maxTokenLifetimeSeconds (2592000) away',
    ],
    ['an nbf in the future', { nbf: nowSeconds + 6 }, 'nbf is in the future'],
    ['a wrong name', { sub: 'a b' }, 'claim sub is invalid'],
  ])('is checked as a JWT is: %s is refused', async (_what, own, reason) => {
    const { verify } = answering(JSON.stringify({ ...claims, ...own }));
    expect(await verify('opaque')).toEqual({ ok: false, reason });
  });

  it.each(['', 'swordfish', '"swordfish"', '[]', 'true'])(
    'that answers %j has failed, and the error does not quote it',
    async (answer) => {
      await expect(answering(answer).verify('opaque')).rejects.toEqual(
        new Error('The function verifyToken must answer an object with claims, or null.'),
      );
    },
  );
});
