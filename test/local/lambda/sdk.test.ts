import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';

const asset = (key: string) => ({ properties: { Code: { S3Bucket: 'assets', S3Key: `${key}.zip` } } });
const platform = await startPlatform(
  writeAssembly(
    {
      Resources: {
        ...lambdaWithRole(
          'Inline',
          "exports.handler = async () => typeof require('@aws-sdk/client-sqs').SQSClient",
        ),
        ...lambdaWithRole('Module', '', asset('module')),
        ...lambdaWithRole('Own', '', asset('own')),
        ...lambdaWithRole('Other', "exports.handler = async () => require('vitest')"),
      },
    },
    {
      module: {
        'index.mjs': `import { SQSClient } from '@aws-sdk/client-sqs';
          import { SignatureV4 } from '@smithy/signature-v4';
          export const handler = async () => typeof SQSClient + typeof SignatureV4;`,
      },
      own: {
        'index.js': "exports.handler = async () => require('@aws-sdk/client-sqs')",
        'node_modules/@aws-sdk/client-sqs/index.js': "module.exports = 'its own'",
      },
    },
  ),
);
const client = new LambdaClient(platform.client);
const call = async (id: string): Promise<unknown> => {
  const FunctionName = platform.deployment.physicalId(id);
  const { Payload } = await client.send(new InvokeCommand({ FunctionName }));
  return JSON.parse(Payload?.transformToString() ?? '');
};

it('a function finds the AWS SDK that its bundle leaves out, as on Lambda', async () => {
  expect(await call('Inline')).toBe('function');
  expect(await call('Module')).toBe('functionfunction');
});

it('a function with an SDK of its own uses that one', async () => {
  expect(await call('Own')).toBe('its own');
});

it('a function does not find other packages of this machine', async () => {
  expect(await call('Other')).toMatchObject({
    errorMessage: expect.stringContaining("Cannot find module 'vitest'") as string,
  });
});
