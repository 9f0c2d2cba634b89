import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack as CdkStack } from 'aws-cdk-lib';
import { exportJWK, exportSPKI } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Switchboard } from '../../../../lib/index.ts';
import { createSigningKey, sign, type SigningKey } from '../../../core/auth/tokens-under-test.ts';
import { json, useEndpoint } from '../../../core/targets/endpoint.ts';
import { Client, refusalStatus } from '../../client.ts';
import { startStack, type Stack } from '../../stack.ts';
import { addressOf } from '../handshakes-and-ends.ts';

const issuer = 'https://id.example';
const endpoint = useEndpoint();
const folder = mkdtempSync(join(tmpdir(), 'switchboard-issuers-'));
let stack: Stack;
let key: SigningKey;
/** A key of the attacker, with the id of the issuer's. */
let foreign: SigningKey;
/** The paths that were fetched. */
let fetched: string[] = [];

/** A stack that takes tokens of the secret and of an issuer, so that one may be taken for the other. */
beforeAll(async () => {
  [key, foreign] = await Promise.all([createSigningKey('k1'), createSigningKey('k1')]);
  const app = new App({ outdir: folder, builtinCloudFormationValidation: false });
  const jwksUrl = `${endpoint.url}/keys`;
  new Switchboard(new CdkStack(app, 'Own'), 'Realtime', {
    tokenIssuer: ['secret', { jwksUrl, issuer, audience: 'app' }],
    logLevel: 'DEBUG',
  });
  app.synth();
  stack = await startStack({ assembly: folder });
});
afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  fetched = [];
  endpoint.respond = (response, request) => {
    fetched.push(request.path);
    json({ keys: [request.path === '/keys' ? key.jwk : foreign.jwk] })(response, request);
  };
});

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const claims = () => ({ sub: '1', iss: issuer, aud: 'app', exp: inSeconds(3600) });

/** The status of a handshake, and of a request with the token as bearer. */
async function statusesOf(token: string): Promise<readonly number[]> {
  const headers = { authorization: `Bearer ${token}` };
  const request = await fetch(`${stack.url}/tickets`, { method: 'POST', headers });
  return [await refusalStatus(addressOf(stack, token)), request.status];
}

/** The header of a token that brings its own key, or says where to get it. */
const trap = () => `${endpoint.url}/trap`;

const attacks: readonly (readonly [name: string, token: () => Promise<string>])[] = [
  ['the public key as PEM for the secret', async () => sign(claims(), await exportSPKI(key.publicKey))],
  ['the public key as JWK for the secret', async () => sign(claims(), JSON.stringify(key.jwk))],
  [
    'the public key as PEM for the secret, without issuer',
    async () => sign({ ...claims(), iss: undefined }, await exportSPKI(key.publicKey)),
  ],
  ['another key with the id of the right one', () => foreign.sign(claims())],
  ['another issuer', () => key.sign({ ...claims(), iss: 'https://evil.example' })],
  ['no issuer', () => key.sign({ ...claims(), iss: undefined })],
  ['another audience', () => key.sign({ ...claims(), aud: 'other' })],
  ['no audience', () => key.sign({ ...claims(), aud: undefined })],
  ['an nbf in the future', () => key.sign({ ...claims(), nbf: inSeconds(60) })],
  ['an exp in the past', () => key.sign({ ...claims(), exp: inSeconds(-1) })],
  ['no exp', () => key.sign({ ...claims(), exp: undefined })],
  ['an exp in milliseconds', () => key.sign({ ...claims(), exp: Date.now() + 60_000 })],
  ['the exp 1e300', () => key.sign({ ...claims(), exp: 1e300 })],
  ['an exp beyond the longest lifetime', () => key.sign({ ...claims(), exp: inSeconds(31 * 24 * 3600) })],
  ['an iat in the future', () => key.sign({ ...claims(), iat: inSeconds(120) })],
];

const ownKeys: readonly (readonly [name: string, token: () => Promise<string>])[] = [
  ['jku', () => foreign.sign(claims(), { kid: 'k2', jku: trap() })],
  ['x5u', () => foreign.sign(claims(), { kid: 'k2', x5u: trap() })],
  ['jwk', async () => foreign.sign(claims(), { jwk: await exportJWK(foreign.publicKey) })],
  ['a kid that is a URL', () => foreign.sign(claims(), { kid: trap() })],
];

describe('a stack with two kinds of tokens', () => {
  it('takes a token of the issuer, which is no attack', async () => {
    const client = await Client.open(addressOf(stack, await key.sign(claims())));
    await client.expectSilence();
    await client.close();
  });

  it.each(attacks)('refuses a token with %s', async (_name, token) => {
    expect(await statusesOf(await token())).toEqual([403, 403]);
  });

  it.each(ownKeys)('fetches nothing for a token with %s, and refuses it', async (_name, token) => {
    expect(await statusesOf(await token())).toEqual([403, 403]);
    expect(fetched.filter((path) => path !== '/keys')).toEqual([]);
  });

  it('fetches the keys at most once for a flood of unknown key ids', async () => {
    for (let kid = 0; kid < 30; kid += 1)
      expect(await refusalStatus(addressOf(stack, await foreign.sign(claims(), { kid: `u${kid}` })))).toBe(
        403,
      );
    // The pause is 30 s, so the flood must not last for longer.
    expect(fetched.length).toBeLessThanOrEqual(1);
  });

  it('writes no part of a token', async () => {
    const log = await (await fetch(`${stack.url}/_local/log`)).text();
    const lines = [...stack.lines, log];
    expect(lines.some((line) => line.includes('handshake refused'))).toBe(true);
    expect(lines.filter((line) => /eyJ[\w-]{10}|id\.example|evil\.example|\/trap/.test(line))).toEqual([]);
  });
});
