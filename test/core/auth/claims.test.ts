import { describe, expect, it } from 'vitest';
import { type ClaimSettings, readClaims } from '../../../core/auth/claims.ts';
import { tokenSettings } from '../../token-settings.ts';
import { nowMs, nowSeconds } from './tokens-under-test.ts';

const thirtyDays = 2_592_000;
const claims = { sub: '42', exp: nowSeconds + 60 };

function read(payload: unknown, settings: Partial<ClaimSettings> = {}) {
  return readClaims(payload, { ...tokenSettings, ...settings }, nowMs);
}

describe('ids', () => {
  it('may be whole numbers, and count as their decimal text', () => {
    expect(read({ ...claims, sub: 42, userType: 7, tenant: Number.MAX_SAFE_INTEGER })).toMatchObject({
      ok: true,
      token: { identity: { userId: '42', userType: '7', tenant: '9007199254740991' } },
    });
    expect(read({ ...claims, sub: 0 })).toMatchObject({ ok: true, token: { identity: { userId: '0' } } });
    expect(read({ ...claims, sub: -1 })).toMatchObject({ ok: true, token: { identity: { userId: '-1' } } });
  });

  it.each([1.5, 2 ** 53, 1e21, true, null, ['42'], { id: 42 }])('may not be %j', (sub) => {
    expect(read({ ...claims, sub })).toEqual({ ok: false, reason: 'claim sub is invalid' });
  });

  it('with the tenant missing are of the tenant default, unless a tenant is required', () => {
    expect(read(claims)).toMatchObject({ ok: true, token: { identity: { tenant: 'default' } } });
    const names = { ...tokenSettings.names, tenant: 'org' };
    expect(read({ ...claims, tenant: 'acme' }, { names, requireTenant: true })).toEqual({
      ok: false,
      reason: 'claim org is missing',
    });
    expect(read({ ...claims, org: 'acme' }, { names, requireTenant: true })).toMatchObject({ ok: true });
  });

  it('are not taken from what every object inherits', () => {
    const names = { ...tokenSettings.names, userId: 'constructor', topics: 'toString' };
    expect(read(claims, { names })).toEqual({ ok: false, reason: 'claim constructor is invalid' });
  });
});

describe('the form of content', () => {
  const textContentFor = ['legacy'];

  it.each([
    [{}, undefined],
    [{ contentAs: 'text' }, 'text'],
    [{ contentAs: 'json' }, 'json'],
    [{ userType: 'legacy' }, 'text'],
    [{ userType: 'legacy', contentAs: 'json' }, 'json'],
  ])('of %j is %s', (more, contentAs) => {
    const verdict = read({ ...claims, ...more }, { textContentFor });
    expect(verdict.ok && verdict.token.contentAs).toBe(contentAs);
  });

  it.each(['xml', '', 1, null, ['text']])('may not be %j', (contentAs) => {
    expect(read({ ...claims, contentAs })).toEqual({ ok: false, reason: 'claim contentAs is invalid' });
  });
});

describe('rights', () => {
  it('may be text with spaces between the patterns', () => {
    expect(read({ ...claims, topics: 'orders.* news', send: ' order-* ', watch: '' })).toMatchObject({
      ok: true,
      token: { rights: { topics: ['orders.*', 'news'], send: ['order-*'], watch: [] } },
    });
  });

  it('that are absent allow no topic, every type, and nobody to be watched', () => {
    const verdict = read(claims);
    expect(verdict).toMatchObject({ ok: true, token: { rights: { topics: [], watch: [] } } });
    expect(verdict.ok && verdict.token.rights).not.toHaveProperty('send');
  });

  it('that are an empty list of types allow none', () => {
    expect(read({ ...claims, send: [] })).toMatchObject({ ok: true, token: { rights: { send: [] } } });
  });

  it.each([
    ['topics', ['a:b']],
    ['topics', ['']],
    ['topics', 'a:b'],
    ['send', ['']],
    ['send', ['x'.repeat(129)]],
    ['send', [1]],
    ['watch', ['member 42']],
    ['watch', ['x'.repeat(258)]],
    ['watch', null],
  ])('%s may not be %j', (claim, value) => {
    expect(read({ ...claims, [claim]: value })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(new RegExp(`^claim ${claim}(\\.0)? is invalid$`)) as string,
    });
  });

  it('take 4 KB together at most', () => {
    const topics = Array.from({ length: 100 }, (_, index) => `${index}`.padStart(36, 'x'));
    expect(read({ ...claims, topics })).toMatchObject({ ok: true });
    expect(read({ ...claims, topics, watch: topics.slice(0, 6) })).toEqual({
      ok: false,
      reason: 'topics, send and watch take over 4096 bytes',
    });
  });
});

describe('times', () => {
  const tooFar = 'exp is more than maxTokenLifetimeSeconds (2592000) away';
  const inMilliseconds = 'exp is too large: it must be in seconds, not milliseconds';

  it.each([
    ['exp in milliseconds', { exp: nowMs + 60_000 }, inMilliseconds],
    ['exp 1e300', { exp: 1e300 }, inMilliseconds],
    ['exp at once', { exp: nowSeconds }, 'exp has passed'],
    ['exp beyond the lifetime from now', { exp: nowSeconds + thirtyDays + 6 }, tooFar],
    ['exp beyond the lifetime from iat', { exp: nowSeconds + thirtyDays, iat: nowSeconds - 6 }, tooFar],
    ['iat more than 5 s in the future', { iat: nowSeconds + 6 }, 'iat is in the future'],
    ['iat in milliseconds', { iat: nowMs }, 'iat is in the future'],
    ['nbf more than 5 s in the future', { nbf: nowSeconds + 6 }, 'nbf is in the future'],
    ['exp as text', { exp: String(nowSeconds + 60) }, 'claim exp is invalid'],
    ['iat as text', { iat: 'now' }, 'claim iat is invalid'],
    ['no exp', { exp: undefined }, 'claim exp is invalid'],
    ['exp that is infinite', { exp: Infinity }, 'claim exp is invalid'],
  ])('refuse %s', (_what, times, reason) => {
    expect(read({ ...claims, ...times })).toEqual({ ok: false, reason });
  });

  it.each([
    ['the longest lifetime', { exp: nowSeconds + thirtyDays, iat: nowSeconds }],
    [
      'an issuer whose clock is 5 s ahead',
      { exp: nowSeconds + thirtyDays + 5, iat: nowSeconds + 5, nbf: nowSeconds + 5 },
    ],
    ['parts of a second', { exp: nowSeconds + 0.5, iat: nowSeconds - 0.5 }],
  ])('allow %s', (_what, times) => {
    expect(read({ ...claims, ...times })).toMatchObject({ ok: true, token: { expiresAt: times.exp * 1000 } });
  });

  it('may be bounded by another lifetime', () => {
    expect(read({ ...claims, exp: nowSeconds + 66 }, { maxLifetimeSeconds: 60 })).toEqual({
      ok: false,
      reason: 'exp is more than maxTokenLifetimeSeconds (60) away',
    });
  });
});

describe('carried claims', () => {
  it('are text as it is, and any other value as its JSON text; absent ones are left out', () => {
    const own = { role: 'clerk', 'https://acme/teams': ['a', 'b'], level: 3, admin: false, boss: null };
    const names = ['role', 'https://acme/teams', 'level', 'admin', 'boss', 'none', 'sub', 'constructor'];
    expect(read({ ...claims, ...own }, { claims: names })).toMatchObject({
      ok: true,
      token: {
        claims: {
          role: 'clerk',
          'https://acme/teams': '["a","b"]',
          level: '3',
          admin: 'false',
          boss: 'null',
          sub: '42',
        },
      },
    });
  });

  it('are only those that the setting names', () => {
    expect(read({ ...claims, role: 'clerk' })).toMatchObject({ ok: true, token: { claims: {} } });
  });

  it('take 1 KB of UTF-8 together at most', () => {
    const room = 1024 - '{"role":""}'.length;
    const carrying = (role: string) => read({ ...claims, role }, { claims: ['role'] });
    expect(carrying('x'.repeat(room))).toMatchObject({ ok: true });
    expect(carrying(`${'x'.repeat(room - 1)}é`)).toEqual({
      ok: false,
      reason: 'the carried claims take over 1024 bytes',
    });
  });
});

it.each([null, 'text', 7, ['sub']])('claims that are %j are refused', (payload) => {
  expect(read(payload)).toEqual({ ok: false, reason: 'the claims are no object' });
});
