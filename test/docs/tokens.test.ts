import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { readTokenSettings, type TokenSettings } from '../../core/auth/settings.ts';
import { readSettings } from '../../lib/settings/settings.ts';
import { createSigningKey, createVerifier, secret, type SigningKey } from '../core/auth/tokens-under-test.ts';
import { json, useEndpoint } from '../core/targets/endpoint.ts';
import { createStack, resourcesOf } from '../infrastructure/stack-under-test.ts';
import { codeBlocks, readPage, root } from './documents.ts';

const run = promisify(execFile);
const blocks = codeBlocks(readPage('docs/tokens.md'));
const clock = { now: () => Date.now() };

describe('an example that signs with the secret', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-tokens-'));
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['sign.mjs', process.execPath],
    ['sign.py', 'python3'],
  ])('in %s makes a token that is accepted', async (name, command) => {
    const file = path.join(folder, name);
    writeFileSync(file, codeOf(name));
    const { stdout } = await run(command, [file], { env: { ...process.env, TOKEN_SECRET: secret } });
    const verdict = await createVerifier({}, { clock })(stdout.trim());
    expect(verdict).toMatchObject({
      ok: true,
      token: {
        identity: { tenant: 'acme', userType: 'member', userId: '42' },
        issuedAt: expect.any(Number) as number,
        rights: { topics: ['orders.*'] },
      },
    });
  });
});

describe('the settings for', () => {
  const endpoint = useEndpoint();
  let key: SigningKey;
  beforeAll(async () => {
    key = await createSigningKey('k1');
  });

  const now = Math.floor(Date.now() / 1000);
  const uuid = '3f6c1e1a-8a53-4c3f-9a57-0d1c5a1f8e01';
  const pool = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE';

  it.each([
    {
      provider: 'cognito',
      keys: '/eu-west-1_EXAMPLE/.well-known/jwks.json',
      claims: {
        sub: uuid,
        'cognito:groups': ['editors'],
        iss: pool,
        'cognito:username': 'jane',
        aud: '1example23456789',
        token_use: 'id',
        auth_time: now,
        'custom:tenant': 'acme',
        'custom:topics': 'orders.* news',
      },
      userId: uuid,
      topics: ['orders.*', 'news'],
      carried: { 'cognito:groups': '["editors"]' },
      // The access token of the same user.
      refused: { sub: uuid, iss: pool, client_id: '1example23456789', token_use: 'access', scope: 'openid' },
    },
    {
      provider: 'auth0',
      keys: '/.well-known/jwks.json',
      claims: {
        iss: 'https://my-domain.auth0.com/',
        sub: 'auth0|123456',
        aud: ['https://realtime.example.com', 'https://my-domain.auth0.com/userinfo'],
        azp: 'my_client_id',
        scope: 'openid profile',
        'https://example.com/user': 'auth0.123456',
        'https://example.com/tenant': 'acme',
        'https://example.com/topics': ['orders.*'],
      },
      userId: 'auth0.123456',
      topics: ['orders.*'],
      carried: {},
      // An ID token.
      refused: {
        iss: 'https://my-domain.auth0.com/',
        aud: 'my_client_id',
        'https://example.com/user': 'auth0.123456',
        'https://example.com/tenant': 'acme',
      },
    },
    {
      provider: 'keycloak',
      keys: '/realms/acme/protocol/openid-connect/certs',
      claims: {
        iss: 'https://login.example.com/realms/acme',
        aud: ['switchboard', 'account'],
        sub: uuid,
        typ: 'Bearer',
        azp: 'web-app',
        realm_access: { roles: ['clerk'] },
        tenant: 'acme',
        topics: ['orders.*', 'news'],
      },
      userId: uuid,
      topics: ['orders.*', 'news'],
      carried: { realm_access: '{"roles":["clerk"]}' },
      // Without the mapper of the audience.
      refused: {
        iss: 'https://login.example.com/realms/acme',
        aud: 'account',
        sub: uuid,
        tenant: 'acme',
      },
    },
    {
      provider: 'spring',
      keys: '/oauth2/jwks',
      claims: {
        iss: 'https://login.example.com',
        sub: 'jane',
        aud: 'web-app',
        nbf: now,
        scope: ['openid'],
        tenant: 'acme',
        topics: ['orders.*'],
      },
      userId: 'jane',
      topics: ['orders.*'],
      carried: { scope: '["openid"]' },
      // Without the customizer.
      refused: { iss: 'https://login.example.com', sub: 'jane', aud: 'web-app' },
    },
  ])('$provider accept its tokens', async ({ provider, keys, claims, userId, topics, carried, refused }) => {
    endpoint.respond = json({ keys: [key.jwk] });
    const settings = deployedSettings(provider);
    const local = settings.keySets.map((keySet) => {
      const { pathname } = new URL(keySet.jwksUrl);
      return { ...keySet, jwksUrl: `${endpoint.url}${pathname}` };
    });
    const verify = createVerifier({ ...settings, secret: undefined, keySets: local }, { clock });
    const times = { iat: now, exp: now + 300 };
    expect(await verify(await key.sign({ ...claims, ...times }))).toMatchObject({
      ok: true,
      token: {
        identity: { tenant: 'acme', userType: 'member', userId },
        rights: { topics, watch: [] },
        claims: carried,
      },
    });
    expect(await endpoint.requests.next()).toMatchObject({ method: 'GET', path: keys });
    expect(await verify(await key.sign({ ...refused, ...times }))).toMatchObject({ ok: false });
  });

  /** What the functions read, if the settings of the page are those of the stack. */
  function deployedSettings(provider: string): TokenSettings {
    const given = readSettings(z.parse(z.looseObject({}), JSON.parse(codeOf(provider))));
    const functions = resourcesOf(createStack(given), 'AWS::Lambda::Function');
    const authorize = functions.find(({ logicalId }) => logicalId === 'Authorize');
    const { Variables } = z.parse(
      z.object({ Variables: z.object({ TOKENS: z.string() }) }),
      authorize?.properties['Environment'],
    );
    return readTokenSettings(Variables.TOKENS);
  }
});

function codeOf(file: string): string {
  const block = blocks.find((each) => each.file === file);
  if (block === undefined) throw new Error(`docs/tokens.md has no block ${file}.`);
  return block.code;
}
