import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack as CdkStack } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Switchboard, type SwitchboardProps } from '../../lib/index.ts';
import { createSigningKey, type SigningKey } from '../core/auth/tokens-under-test.ts';
import { json, useEndpoint } from '../core/targets/endpoint.ts';
import { Client, refusalStatus } from './client.ts';
import { startStack, type Stack } from './stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchboard-token-issuers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

/** Runs a stack with a Switchboard of these properties. */
function startWith(props: (own: CdkStack) => SwitchboardProps): Promise<Stack> {
  const outdir = mkdtempSync(join(folder, 'cdk.out-'));
  const app = new App({ outdir, builtinCloudFormationValidation: false });
  const own = new CdkStack(app, 'Own');
  new Switchboard(own, 'Realtime', props(own));
  app.synth();
  return startStack({ assembly: outdir });
}

async function logOf(stack: Stack): Promise<string> {
  const log = await (await fetch(`${stack.url}/_local/log`)).text();
  return `${stack.lines.join('\n')}\n${log}`;
}

describe('a stack whose tokens are of an identity provider', () => {
  const endpoint = useEndpoint();
  const issuer = 'https://id.example';
  const claims = { sub: 42, iss: issuer, aud: 'app' };
  let key: SigningKey;
  let stack: Stack;
  beforeAll(async () => {
    key = await createSigningKey('k1');
    const jwksUrl = `${endpoint.url}/keys`;
    stack = await startWith(() => ({
      tokenIssuer: { jwksUrl, issuer, audience: 'app' },
      tokenParameter: 'access_token',
    }));
  });
  afterAll(() => stack.close());
  beforeEach(() => {
    endpoint.respond = json({ keys: [key.jwk] });
  });

  const urlWith = (token: string, parameter = 'access_token') =>
    `${stack.url.replace('http', 'ws')}/live?${parameter}=${token}`;

  it('answers 500 while the endpoint of the keys fails, and the log names it', async () => {
    endpoint.respond = json({}, 503);
    const token = await key.sign({ ...claims, exp: inSeconds(60) });
    expect(await refusalStatus(urlWith(token))).toBe(500);
    await expect
      .poll(() => logOf(stack))
      .toContain(`The keys of the token issuer at ${endpoint.url}/keys cannot be used`);
    expect(await logOf(stack)).not.toContain(token);
    // Functions ask again after a pause.
    endpoint.respond = json({ keys: [key.jwk] });
    await expect.poll(() => refusalStatus(urlWith(`${token}x`)), { interval: 500 }).toBe(403);
  });

  it('connects its users by the parameter that the setting names, and refreshes their sessions', async () => {
    const client = await Client.open(urlWith(await key.sign({ ...claims, exp: inSeconds(60) })));
    const exp = inSeconds(3600);
    const fresh = await key.sign({ ...claims, exp });
    expect(await client.ask({ type: 'refresh', id: 'r', content: { token: fresh } })).toMatchObject({
      type: 'ack',
      content: { tokenExpiresAt: exp * 1000 },
    });
    expect((await stack.publish({ to: 'user:member:42', type: 'x', content: 1 })).body).toMatchObject({
      delivered: 1,
    });
    await client.close();
  });

  it('refuses other audiences, other keys and other parameters', async () => {
    const exp = inSeconds(60);
    const foreign = await createSigningKey('k1');
    expect(await refusalStatus(urlWith(await key.sign({ ...claims, exp, aud: 'other' })))).toBe(403);
    expect(await refusalStatus(urlWith(await foreign.sign({ ...claims, exp })))).toBe(403);
    expect(await refusalStatus(urlWith(await key.sign({ ...claims, exp }), 'token'))).toBe(401);
  });

  it('takes the token as bearer too', async () => {
    const token = await key.sign({ ...claims, exp: inSeconds(60) });
    const response = await post(stack, token);
    expect(await response.json()).toMatchObject({ error: { code: 'unknown_type' } });
    expect((await post(stack, `${token}x`)).status).toBe(403);
  });
});

describe('a stack whose tokens are verified by a function', () => {
  // Such as `opaque.7`, for user 7.
  const code = `
    exports.handler = async ({ token }) => {
      if (token === 'opaque.broken') throw new Error('cannot read ' + token.toUpperCase());
      const [kind, id] = token.split('.');
      return kind === 'opaque' ? { sub: Number(id), exp: Math.floor(Date.now() / 1000) + 3600 } : null;
    };`;
  let stack: Stack;
  beforeAll(async () => {
    stack = await startWith((own) => ({
      verifyToken: new LambdaFunction(own, 'VerifyToken', {
        runtime: Runtime.NODEJS_24_X,
        handler: 'index.handler',
        code: Code.fromInline(code),
      }),
    }));
  });
  afterAll(() => stack.close());

  const urlWith = (token: string) => `${stack.url.replace('http', 'ws')}/live?token=${token}`;

  it('connects the users that it names, and asks it for each refresh', async () => {
    const client = await Client.open(urlWith('opaque.7'));
    expect((await stack.publish({ to: 'user:member:7', type: 'x', content: 1 })).body).toMatchObject({
      delivered: 1,
    });
    await client.next();
    const refresh = (token: string) => client.ask({ type: 'refresh', id: 'r', content: { token } });
    expect(await refresh('opaque.7')).toMatchObject({ type: 'ack' });
    expect(await refresh('opaque.8')).toMatchObject({ content: { code: 'forbidden' } });
    expect(await refresh('other.7')).toMatchObject({ content: { code: 'forbidden' } });
    await client.close();
  });

  it('refuses what it refuses, and answers 500 if it fails', async () => {
    expect(await refusalStatus(urlWith('other.7'))).toBe(403);
    expect(await refusalStatus(urlWith('opaque.x'))).toBe(403);
    expect(await refusalStatus(urlWith('opaque.broken'))).toBe(500);
    await expect.poll(() => logOf(stack)).toContain('The function verifyToken failed. Its own log says why.');
    expect((await post(stack, 'opaque.7')).status).toBe(400);
    expect((await post(stack, 'other.7')).status).toBe(403);
  });

  it('has no secret', () => {
    expect(stack.cloud.deployment.ofType('AWS::SecretsManager::Secret')).toEqual([]);
  });
});

function post(stack: Stack, token: string): Promise<Response> {
  return fetch(`${stack.url}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ type: 'nobody-handles-this', content: null }),
  });
}
