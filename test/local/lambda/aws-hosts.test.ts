import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { listen } from '../harness/listen.ts';
import { startPlatform } from '../harness/platform.ts';

const send = `const https = require('node:https');
const options = { method: 'POST', headers: { 'X-Amz-Target': 'DynamoDB_20120810.ListTables' } };
const url = 'https://dynamodb.us-east-1.amazonaws.com/?a=b';
const ends = (request, body) => new Promise((resolve, reject) => {
  request.on('error', reject).on('response', (response) => resolve(response.statusCode)).end(body);
});
exports.handler = async (other) => ({
  url: await ends(https.request(url, options), '{}'),
  options: await ends(https.request({ ...options, hostname: 'dynamodb.us-east-1.amazonaws.com', agent: new https.Agent() }), '{}'),
  module: await (await import('node:https')).request === https.request,
  fetch: await (await fetch(url, { ...options, body: '{}' })).text(),
  host: await (await fetch('https://named.s3.us-east-1.amazonaws.com/x')).text(),
  other: await (await fetch(other, { method: 'POST', body: 'untouched' })).text(),
});`;
const platform = await startPlatform(
  writeAssembly({
    Resources: {
      ...lambdaWithRole('Send', send),
      Named: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'named' } },
    },
  }),
);

it('what a function sends to a host of AWS arrives here, and nothing else does', async () => {
  const echo = createServer((request, response) => void request.pipe(response));
  const url = `http://127.0.0.1:${String(await listen(echo))}/`;
  onTestFinished(() => void echo.close());
  const input = { FunctionName: platform.deployment.physicalId('Send'), Payload: JSON.stringify(url) };
  const { Payload } = await new LambdaClient(platform.client).send(new InvokeCommand(input));
  expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({
    url: 400,
    options: 400,
    module: true,
    fetch: expect.stringContaining('MissingAuthenticationToken') as string,
    // Only its host says that this one is for a bucket.
    host: expect.stringContaining('<Code>AccessDenied</Code>') as string,
    other: 'untouched',
  });
});
