import { describe, expect, it } from 'vitest';
import type { TokenVerdict } from '../../../core/auth/verified-token.ts';
import { listSessions } from '../../../core/sessions/list.ts';
import { withRevocations } from '../../../core/sessions/revocations.ts';
import { closings } from '../../../core/sessions/closings.ts';
import { idsOf, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const user = { tenant: 'default', userType: 'member', userId: '1' };
const secondMs = 1_000;

describe('a revocation', () => {
  it.each([
    { what: 'of an hour before', issuedAt: startOfTime - 3_600 * secondMs, isRevoked: true },
    { what: 'of the same second', issuedAt: startOfTime, isRevoked: true },
    { what: 'that does not say when it was issued', issuedAt: undefined, isRevoked: true },
    { what: 'of the next second', issuedAt: startOfTime + secondMs, isRevoked: false },
  ])('of a user decides on a token $what: $isRevoked', async ({ issuedAt, isRevoked }) => {
    const core = await dynamodb.create({ hasLaggingReplica: true });
    core.clock.ms += 999;
    await core.revocations.revoke(user);
    expect(await core.revocations.isRevoked(user, issuedAt)).toBe(isRevoked);
  });

  it('is of one user only', async () => {
    const core = await dynamodb.create();
    await core.revocations.revoke(user);
    for (const other of [{ userId: '2' }, { userType: 'admin' }, { tenant: 'acme' }])
      expect(await core.revocations.isRevoked({ ...user, ...other }, undefined)).toBe(false);
  });

  it('holds for years, and a later one reaches further', async () => {
    const core = await dynamodb.create();
    await core.revocations.revoke(user);
    core.clock.ms += 5 * 365 * 24 * 3_600 * secondMs;
    expect(await core.revocations.isRevoked(user, startOfTime)).toBe(true);
    expect(await core.revocations.isRevoked(user, core.clock.ms)).toBe(false);
    await core.revocations.revoke(user);
    expect(await core.revocations.isRevoked(user, core.clock.ms)).toBe(true);
  });

  it('by a function whose clock is behind takes nothing back', async () => {
    const core = await dynamodb.create();
    await core.revocations.revoke(user);
    core.clock.ms -= 60 * secondMs;
    await core.revocations.revoke(user);
    expect(await core.revocations.isRevoked(user, startOfTime)).toBe(true);
  });

  it('is no session to any read of sessions', async () => {
    const core = await dynamodb.create({ shards: 1 });
    await core.revocations.revoke(user);
    expect(await core.recipients.ofUser(user)).toEqual({ recipients: [], next: undefined });
    await core.sessions.add(sessionOf('zzz='));
    expect((await core.recipients.ofUser(user)).recipients).toMatchObject([{ connectionId: 'zzz=' }]);
    const page = await core.recipients.ofUser(user, { limit: 1 });
    expect(await core.recipients.ofUser(user, { after: page.next })).toEqual({
      recipients: [],
      next: undefined,
    });
    const audience = { tenant: 'default', shard: 0 };
    expect(await core.recipients.countAudience(audience)).toBe(1);
    expect((await core.recipients.ofAudience(audience)).recipients).toHaveLength(1);
    for (const query of [user, { tenant: 'default', userType: 'member' }]) {
      const { sessions } = await listSessions(core.recipients, core.sessions, { ...query, limit: 100 });
      expect(idsOf(sessions)).toEqual(['zzz=']);
    }
    expect(await core.recipients.byConnection('~revoked')).toBeUndefined();
    expect(await core.closeUser(user, closings.revoked)).toBe(1);
    expect(await core.closeUser(user, closings.revoked)).toBe(0);
    expect(await core.revocations.isRevoked(user, startOfTime)).toBe(true);
  });
});

describe('a verification with revocations', () => {
  const token = { identity: user, expiresAt: 0, rights: { topics: [], watch: [] }, claims: {} };
  const verdictOf = async (verdict: TokenVerdict, isRevoked: boolean) =>
    withRevocations(() => Promise.resolve(verdict), { isRevoked: () => Promise.resolve(isRevoked) })();

  it('refuses a revoked token, and says so for the log', async () => {
    const valid = { ok: true, token: { ...token, issuedAt: 1 } } as const;
    expect(await verdictOf(valid, true)).toEqual({ ok: false, reason: 'token was revoked' });
    expect(await verdictOf(valid, false)).toBe(valid);
  });

  it('keeps the reason why a token is not valid', async () => {
    const invalid = { ok: false, reason: 'ERR_JWS_INVALID' } as const;
    expect(await verdictOf(invalid, true)).toBe(invalid);
  });
});
