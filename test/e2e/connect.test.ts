import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalStatus } from './client.ts';
import { signToken, type Stack, stackSecret, startStack } from './stack.ts';

let stack: Stack;
let endpoint: string;

beforeAll(async () => {
  stack = await startStack();
  endpoint = `${stack.url.replace('http', 'ws')}/live`;
});
afterAll(() => stack.close());

const secret = new TextEncoder().encode(stackSecret);
const claims = { userType: 'member', tenant: 'default' };

function jwt(payload: Record<string, unknown>, key = secret): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(key);
}

describe('a handshake', () => {
  it('opens with a token from npm run token', async () => {
    const client = await stack.connect({ user: 'opens' });
    await client.expectSilence();
  });

  it('is answered 401 without a token', async () => {
    expect(await refusalStatus(endpoint)).toBe(401);
    expect(await refusalStatus(`${endpoint}?token=`)).toBe(401);
  });

  it.each<[string, () => Promise<string>]>([
    ['garbage', () => Promise.resolve('garbage')],
    ['three parts of garbage', () => Promise.resolve('a.b.c')],
    [
      'an expired token',
      () => signToken({ user: '1', type: 'member', tenant: 'default', topics: [], ttlSeconds: -60 }),
    ],
    ['a wrong signature', () => jwt({ sub: '1', ...claims }, new TextEncoder().encode('x'.repeat(64)))],
    [
      'alg: none',
      () => Promise.resolve(new UnsecuredJWT({ sub: '1', ...claims }).setExpirationTime('1h').encode()),
    ],
    ['a missing sub', () => jwt(claims)],
    ['a user id with a forbidden character', () => jwt({ sub: 'a#b', ...claims })],
    ['a user id of 129 characters', () => jwt({ sub: 'a'.repeat(129), ...claims })],
    ['a tenant with a forbidden character', () => jwt({ sub: '1', userType: 'member', tenant: 'a:b' })],
  ])('is answered 403 for %s', async (_what, token) => {
    expect(await refusalStatus(`${endpoint}?token=${await token()}`)).toBe(403);
  });

  it('is answered 403 for a token without exp', async () => {
    const eternal = await new SignJWT({ sub: '1', ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(secret);
    expect(await refusalStatus(`${endpoint}?token=${eternal}`)).toBe(403);
  });

  it('is answered 403 for an expiry in milliseconds, or too far away, and the log says so', async () => {
    const thirtyOneDays = Math.floor(Date.now() / 1000) + 31 * 24 * 60 * 60;
    const inMilliseconds = 'exp is too large: it must be in seconds, not milliseconds';
    const tooFar = 'exp is more than maxTokenLifetimeSeconds (2592000) away';
    for (const [exp, reason] of [
      [Date.now() + 60_000, inMilliseconds],
      [1e300, inMilliseconds],
      [thirtyOneDays, tooFar],
    ] as const) {
      const forever = await new SignJWT({ sub: 'forever', exp, ...claims })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(secret);
      // Only a few reasons a second are logged, so it is tried until this one is.
      const triedLog = async () => {
        expect(await refusalStatus(`${endpoint}?token=${forever}`)).toBe(403);
        return stack.lines.join('\n');
      };
      await expect.poll(triedLog, { interval: 300 }).toContain(reason);
    }
  });

  it('leaves no part of the token in any log', async () => {
    const refused = await jwt({ sub: 'leak', ...claims }, new TextEncoder().encode('y'.repeat(64)));
    expect(await refusalStatus(`${endpoint}?token=${refused}`)).toBe(403);
    const url = await stack.webSocketUrl({ user: 'leak' });
    const client = await stack.connect({ user: 'leak' });
    await client.close();
    const log = await (await fetch(`${stack.url}/_local/log`)).text();
    const seen = `${stack.lines.join('\n')}\n${log}`;
    expect(seen).toContain('handshake refused');
    for (const part of [...refused.split('.'), ...new URL(url).search.slice('?token='.length).split('.')]) {
      expect(seen).not.toContain(part);
    }
  });

  it('leaves no part of the token in any log if the token is in the path', async () => {
    const token = await jwt({ sub: 'lost', ...claims });
    expect(await refusalStatus(`${endpoint}%3Ftoken=${token}`)).toBe(403);
    await fetch(`${stack.url}/nowhere/${token}`);
    const log = await (await fetch(`${stack.url}/_local/log`)).text();
    for (const part of token.split('.')) expect(`${stack.lines.join('\n')}\n${log}`).not.toContain(part);
  });
});

describe('a connection with an expired token', () => {
  it('gets a closing frame at its next frame, and ends', async () => {
    const client = await stack.connect({ user: 'brief', ttlSeconds: 3 });
    const closed = client.closed();
    await expect
      .poll(async () => (await client.ask({ type: 'ping' }))['type'], { interval: 200 })
      .toBe('closing');
    expect((await closed).code).toBe(1000);
    expect((await stack.call('GET', '/sessions?userType=member&userId=brief')).body).toEqual({
      sessions: [],
    });
  });

  it('gets no publishes', async () => {
    await stack.connect({ user: 'silent', ttlSeconds: 3 });
    await expect
      .poll(async () => (await stack.publish({ to: 'user:member:silent', type: 'x', content: null })).body)
      .toMatchObject({ delivered: 0 });
  });
});
