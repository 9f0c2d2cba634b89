import { describe, expect, it } from 'vitest';
import type { TokenVerdict } from '../../../core/auth/verified-token.ts';
import { createRefreshListener } from '../../../core/dispatch/refresh.ts';
import { contextOf, type Core, minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const from = { tenant: 'default', userType: 'member', userId: '1' };
const session = {
  connectionId: 'c1=',
  connectedAt: startOfTime,
  tokenExpiresAt: startOfTime + 60 * minuteMs,
};
const expiresAt = startOfTime + 90 * minuteMs;

const tokenOf = (identity = from): TokenVerdict => ({
  ok: true,
  token: {
    identity,
    issuedAt: startOfTime,
    expiresAt,
    rights: { topics: [], watch: [] },
    claims: {},
  },
});

async function withSession(): Promise<Core> {
  const core = await dynamodb.create();
  await core.sessions.add(sessionOf('c1='));
  return core;
}

/** The answer to a `refresh` whose token gets this verdict. */
async function refresh(core: Core, verdict: TokenVerdict) {
  const { sessions, refreshSession } = core;
  const logged: unknown[] = [];
  const logger = { warn: (...line: unknown[]) => logged.push(line) };
  const listener = createRefreshListener({ verify: () => Promise.resolve(verdict), refreshSession, logger });
  const { handle } = await listener.accept({ token: 'jwt' });
  const answer = Promise.resolve(handle(contextOf({ from, session })));
  const expiryOf = async () => (await sessions.get(from, 'c1='))?.tokenExpiresAt;
  return { answer, logged, expiryOf };
}

describe('refresh', () => {
  it('moves the expiry of the session to that of the new token', async () => {
    const { answer, expiryOf } = await refresh(await withSession(), tokenOf());
    expect(await answer).toEqual({ tokenExpiresAt: expiresAt });
    expect(await expiryOf()).toBe(expiresAt);
  });

  it.each([
    ['user', { userId: '2' }],
    ['user type', { userType: 'admin' }],
    ['tenant', { tenant: 'other' }],
  ])('with the token of another %s is forbidden, and the session keeps its expiry', async (_what, other) => {
    const { answer, logged, expiryOf } = await refresh(await withSession(), tokenOf({ ...from, ...other }));
    await expect(answer).rejects.toMatchObject({ code: 'forbidden', details: [{ field: 'content.token' }] });
    expect(await expiryOf()).toBe(session.tokenExpiresAt);
    expect(logged).toEqual([
      ['refresh refused', { connectionId: 'c1=', reason: expect.stringContaining('another user') as string }],
    ]);
  });

  it('with an invalid token is forbidden, and only the log says why', async () => {
    const refused = { ok: false, reason: 'signature verification failed' } as const;
    const { answer, logged, expiryOf } = await refresh(await withSession(), refused);
    await expect(answer).rejects.toMatchObject({
      code: 'forbidden',
      message: 'content.token: is not valid',
    });
    expect(await expiryOf()).toBe(session.tokenExpiresAt);
    expect(logged).toEqual([['refresh refused', { connectionId: 'c1=', reason: refused.reason }]]);
  });

  it('names the topics that the new token does not allow', async () => {
    const core = await withSession();
    await core.subscriptions.subscribe({ identity: from, connectionId: 'c1=' }, 'orders', ['*']);
    const { answer } = await refresh(core, tokenOf());
    expect(await answer).toEqual({ tokenExpiresAt: expiresAt, unsubscribed: ['orders'] });
  });

  it('of a session that has been closed is not_found', async () => {
    const { answer, expiryOf } = await refresh(await dynamodb.create(), tokenOf());
    await expect(answer).rejects.toMatchObject({ code: 'not_found' });
    expect(await expiryOf()).toBeUndefined();
  });
});
