import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnOutput, Stack as CdkStack } from 'aws-cdk-lib';
import { DomainName } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Switchboard } from '../../lib/index.ts';
import { sendSigned } from '../../publisher/signed-request.ts';
import { startStack, type Stack } from './stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchboard-own-app-'));
const certificateArn = 'arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ assembly: synthesise(join(folder, 'cdk.out')) });
}, 120_000);
afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true });
});

/** A user's app, whose APIs answer at their domains only. */
function synthesise(outdir: string): string {
  const app = new App({ outdir, builtinCloudFormationValidation: false });
  const own = new CdkStack(app, 'Own');
  const certificate = Certificate.fromCertificateArn(own, 'Certificate', certificateArn);
  const domain = (id: string, domainName: string, mappingKey: string) => ({
    domainName: new DomainName(own, id, { domainName, certificate }),
    mappingKey,
  });
  const realtime = new Switchboard(own, 'Realtime', {
    webSocketDomain: domain('WebSocketDomain', 'ws.example.com', 'chat'),
    httpDomain: domain('HttpDomain', 'api.example.com', 'chat/v1'),
    disableExecuteApiEndpoint: true,
    deletionProtection: true,
  });
  writeFileSync(
    join(folder, 'index.mjs'),
    'export const handler = async ({ routeKey, pathParameters }) => ({ routeKey, pathParameters });',
  );
  const fn = new LambdaFunction(own, 'Desk', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromAsset(folder, { exclude: ['cdk.out'] }),
  });
  realtime.addRoute('GET /desk/agents/{agentId}', fn);
  realtime.addRoute('ANY /desk/{rest+}', fn);
  new CfnOutput(own, 'WebSocketUrl', { value: realtime.webSocketUrl });
  new CfnOutput(own, 'PublishUrl', { value: realtime.publishUrl });
  app.synth();
  return outdir;
}

describe('an app of one’s own on the laptop', () => {
  it('has the local addresses in the outputs, in place of its domains', () => {
    const { outputs } = stack.cloud.deployment;
    expect(outputs.get('WebSocketUrl')).toBe(`${stack.url.replace('http', 'ws')}/live`);
    expect(outputs.get('PublishUrl')).toBe(`${stack.url}/publish`);
  });

  it('publishes to a client, although functions send through the domain', async () => {
    const client = await stack.connect({ user: '42' });
    const { body } = await stack.publish({ to: 'user:member:42', type: 'x', content: 1 });
    expect(body).toMatchObject({ status: 'delivered', delivered: 1 });
    expect(await client.next()).toMatchObject({ type: 'x', content: 1 });
  });

  it.each([
    ['GET', '/desk/agents/7', { routeKey: 'GET /desk/agents/{agentId}', pathParameters: { agentId: '7' } }],
    ['PUT', '/desk/a/b', { routeKey: 'ANY /desk/{rest+}', pathParameters: { rest: 'a/b' } }],
  ])('answers a signed %s %s by its own function', async (method, path, answer) => {
    expect(await stack.call(method, path)).toEqual({ status: 200, body: answer });
  });

  it('refuses an unsigned request to a route of its own, and a wrong signature', async () => {
    const url = new URL('/desk/agents/7', stack.url);
    expect((await fetch(url)).status).toBe(403);
    const credentials = () => Promise.resolve({ accessKeyId: 'local', secretAccessKey: 'wrong' });
    expect((await sendSigned({ method: 'GET', url, credentials })).status).toBe(403);
  });
});
