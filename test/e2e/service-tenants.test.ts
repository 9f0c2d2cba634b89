import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { App, CfnOutput, Stack as CdkStack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Switchboard } from '../../lib/index.ts';
import { localRegion, sendSigned } from '../../publisher/signed-request.ts';
import { startStack, type Stack } from './stack.ts';

/** A service that publishes what it is invoked with, and answers how that ended. */
const serviceCode = `
import { createPublisher } from './publisher/index.ts';
const { PUBLISH_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
const publisher = createPublisher({
  url: PUBLISH_URL,
  credentials: async () => ({
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN,
  }),
});
export async function handler(message) {
  try {
    return await publisher.publish(message);
  } catch ({ status, code, message }) {
    return { status, code, message };
  }
}`;

let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-services-'));
  stack = await startStack({ assembly: synthesise(folder) });
}, 120_000);
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

/** An app with two services that may publish. The role of one is bound to a tenant; the developer's user may use all. */
function synthesise(place: string): string {
  const code = path.join(place, 'service');
  buildSync({
    stdin: { contents: serviceCode, resolveDir: path.resolve('.'), loader: 'ts' },
    outfile: path.join(code, 'index.js'),
    bundle: true,
    platform: 'node',
    target: 'node20',
  });
  const outdir = path.join(place, 'cdk.out');
  const app = new App({ outdir, builtinCloudFormationValidation: false });
  const own = new CdkStack(app, 'Services');
  const [acme, stranger] = ['Acme', 'Stranger'].map(
    (name) => new Role(own, `${name}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') }),
  );
  const realtime = new Switchboard(own, 'Realtime', {
    serviceTenants: { [acme?.roleName ?? '']: 'acme', local: '*' },
  });
  for (const [name, role] of Object.entries({ Acme: acme, Stranger: stranger })) {
    if (!role) throw new Error(`There is no role ${name}.`);
    realtime.grantPublish(role);
    const fn = new Function(own, name, {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromAsset(code),
      role,
      environment: { PUBLISH_URL: realtime.publishUrl },
    });
    new CfnOutput(own, `${name}Name`, { value: fn.functionName });
  }
  new CfnOutput(own, 'PublishName', { value: realtime.publishFunction.functionName });
  app.synth();
  return outdir;
}

/** Invokes a function by the name of its output. */
async function invoke(output: string, event: object): Promise<unknown> {
  const name = stack.cloud.deployment.outputs.get(output) ?? '';
  const url = new URL(`/2015-03-31/functions/${name}/invocations`, stack.url);
  const body = JSON.stringify(event);
  const response = await sendSigned({ method: 'POST', url, service: 'lambda', region: localRegion, body });
  return response.json();
}

const message = { to: 'user:member:1', type: 'n', content: 1 };

describe('a service whose role is bound to a tenant', () => {
  it('reaches the users of this tenant, and of no other', async () => {
    const own = await stack.connect({ user: '1', tenant: 'acme' });
    const other = await stack.connect({ user: '1' });
    expect(await invoke('AcmeName', message)).toMatchObject({ status: 'delivered', delivered: 1 });
    expect(await own.next()).toMatchObject({ type: 'n' });
    expect(await invoke('AcmeName', { ...message, tenant: 'default' })).toEqual({
      status: 403,
      code: 'forbidden',
      message: 'tenant: must be acme, the tenant of this caller',
    });
    await other.expectSilence();
    await own.expectSilence();
  });
});

describe('a service whose role has no tenant', () => {
  it('is refused, although IAM lets it publish', async () => {
    const client = await stack.connect({ user: '1', tenant: 'acme' });
    expect(await invoke('StrangerName', { ...message, tenant: 'acme' })).toEqual({
      status: 403,
      code: 'forbidden',
      message: 'The setting serviceTenants names no tenant for this caller.',
    });
    await client.expectSilence();
  });
});

describe('a user with every tenant', () => {
  it('publishes to each, and sees the sessions of each', async () => {
    const client = await stack.connect({ user: '7', tenant: 'globex' });
    const to = { ...message, to: 'user:member:7' };
    expect(await stack.publish({ ...to, tenant: 'globex' })).toMatchObject({ body: { delivered: 1 } });
    expect(await client.next()).toMatchObject({ type: 'n' });
    expect(await stack.publish(to)).toMatchObject({ status: 200, body: { delivered: 0 } });
    expect(await stack.call('GET', '/sessions?tenant=globex&userType=member')).toMatchObject({
      body: { sessions: [{ userId: '7' }] },
    });
  });
});

describe('a direct invocation', () => {
  it('is refused, and told to call over HTTP', async () => {
    expect(await invoke('PublishName', { ...message, tenant: 'acme' })).toMatchObject({
      error: { code: 'forbidden', message: expect.stringContaining('Call over HTTP') as string },
    });
  });
});
