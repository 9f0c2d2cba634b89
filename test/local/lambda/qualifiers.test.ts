import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';

const permission = (functionName: unknown, source: string) => ({
  Type: 'AWS::Lambda::Permission',
  Properties: {
    Action: 'lambda:InvokeFunction',
    FunctionName: functionName,
    Principal: 'apigateway.amazonaws.com',
    SourceArn: source,
  },
});
const layered = {
  Code: { S3Bucket: 'assets', S3Key: 'code.zip' },
  Layers: [{ Ref: 'Shared' }],
};
const platform = await startPlatform(
  writeAssembly(
    {
      Resources: {
        ...lambdaWithRole('Echo', 'exports.handler = async (event) => event'),
        Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Echo' } } },
        Live: {
          Type: 'AWS::Lambda::Alias',
          Properties: {
            FunctionName: { 'Fn::GetAtt': ['Echo', 'Arn'] },
            FunctionVersion: { 'Fn::GetAtt': ['Version', 'Version'] },
            Name: 'live',
          },
        },
        LivePermission: permission({ Ref: 'Live' }, 'live-source'),
        PlainPermission: permission({ Ref: 'Echo' }, 'plain-source'),
        ...lambdaWithRole('Caller', 'exports.handler = async () => null', {
          statements: [allow('lambda:InvokeFunction', { 'Fn::GetAtt': ['Echo', 'Arn'] })],
        }),
        Shared: { Type: 'AWS::Lambda::LayerVersion', Properties: { Content: { S3Key: 'layer.zip' } } },
        ...lambdaWithRole('Layered', '', { properties: layered }),
        Script: { Type: 'AWS::Lambda::Function', Properties: { Runtime: 'python3.13' } },
      },
    },
    {
      code: { 'index.js': "exports.handler = async () => require('greeting')" },
      layer: { 'nodejs/node_modules/greeting/index.js': "module.exports = 'hello'" },
    },
  ),
);
const { deployment, functions } = platform;
const client = new LambdaClient(platform.client);
const arn = deployment.attribute('Echo', 'Arn');

describe('a version or an alias of a function', () => {
  it('has the ARN of the function with a qualifier', () => {
    expect(deployment.physicalId('Version')).toBe(`${arn}:1`);
    expect(deployment.physicalId('Live')).toBe(`${arn}:live`);
  });

  it.each(['live', '1', '$LATEST', undefined])('runs the function: %s', async (Qualifier) => {
    const FunctionName = deployment.physicalId('Echo');
    const input = { FunctionName, Payload: '7', ...(Qualifier === undefined ? {} : { Qualifier }) };
    const { Payload } = await client.send(new InvokeCommand(input));
    expect(Payload?.transformToString()).toBe('7');
  });

  it('that is missing is not found', async () => {
    const missing = client.send(new InvokeCommand({ FunctionName: arn, Qualifier: 'old' }));
    await expect(missing).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('has permissions of its own', () => {
    const permits = (of: string, source: string) =>
      functions.byArn(of)?.permits('apigateway.amazonaws.com', source);
    expect(permits(`${arn}:live`, 'live-source')).toBe(true);
    expect(permits(`${arn}:live`, 'plain-source')).toBe(false);
    expect(permits(arn, 'plain-source')).toBe(true);
    expect(permits(arn, 'live-source')).toBe(false);
  });

  it('needs a grant of its own', async () => {
    const caller = new LambdaClient(platform.clientOf('Caller'));
    await caller.send(new InvokeCommand({ FunctionName: arn }));
    const qualified = caller.send(new InvokeCommand({ FunctionName: `${arn}:live` }));
    await expect(qualified).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

it('a function finds the modules of its layers', async () => {
  const FunctionName = deployment.physicalId('Layered');
  const { Payload } = await client.send(new InvokeCommand({ FunctionName }));
  expect(Payload?.transformToString()).toBe('"hello"');
});

it('a function of another runtime fails, and says why', async () => {
  const FunctionName = deployment.physicalId('Script');
  const { FunctionError, Payload } = await client.send(new InvokeCommand({ FunctionName }));
  expect(FunctionError).toBe('Unhandled');
  expect(Payload?.transformToString()).toContain('The runtime python3.13 does not run on this machine.');
  expect(platform.output).toContain('The runtime python3.13 does not run on this machine.');
});
