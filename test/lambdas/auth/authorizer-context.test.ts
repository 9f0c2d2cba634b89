import { describe, expect, it } from 'vitest';
import type { VerifiedToken } from '../../../core/auth/verified-token.ts';
import { authorizerContext, readContext } from '../../../lambdas/auth/authorizer-context.ts';

describe('the authorizer context', () => {
  it('holds only strings, and is read back unchanged', () => {
    const token: VerifiedToken = {
      identity: { tenant: 'acme', userType: 'member', userId: '42' },
      issuedAt: 1_000,
      expiresAt: 2_000,
      rights: { topics: ['orders.*', 'a/b'], send: ['order *'], watch: ['member:*'] },
      claims: { role: 'clerk' },
      contentAs: 'text',
    };
    const context = authorizerContext(token);
    expect(new Set(Object.values(context).map((value) => typeof value))).toEqual(new Set(['string']));
    expect(readContext(context)).toEqual(token);
  });

  it('of an earlier version is read: every type may be sent, nobody watched, and content has no form of its own', () => {
    const context = { tenant: 'acme', userType: 'member', userId: '42', tokenExpiresAt: '2000', topics: '' };
    expect(readContext(context)).toEqual({
      identity: { tenant: 'acme', userType: 'member', userId: '42' },
      expiresAt: 2_000,
      rights: { topics: [], watch: [] },
      claims: {},
    });
  });
});
