import { ListFunctionsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { cbor } from '@smithy/core/cbor';
import { expect, it } from 'vitest';
import { sendSigned } from '../../../publisher/signed-request.ts';
import { runCloud } from '../harness/running-cloud.ts';
import { httpStack } from '../harness/http-stack.ts';
import { webSocketStack } from '../harness/websocket-stack.ts';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

it('a call of a service that does not run here fails with an error that names it', async () => {
  const cloud = await runCloud(httpStack({ routes: { $default: {} } }));
  const config = { endpoint: cloud.url, region: 'us-east-1', credentials, maxAttempts: 1 };
  const error = (service: string): unknown =>
    expect.objectContaining({
      name: 'NotImplemented',
      message: `This call of ${service} does not run on this machine.`,
      $metadata: expect.objectContaining({ httpStatusCode: 501 }) as unknown,
    });
  await expect(new SNSClient(config).send(new ListTopicsCommand())).rejects.toEqual(error('sns'));
  await expect(new LambdaClient(config).send(new ListFunctionsCommand())).rejects.toEqual(error('lambda'));
  expect(cloud.lines.filter((line) => line.includes(' 501 ')).map((line) => line.split('ms  ')[1])).toEqual([
    'sns does not run here',
    'lambda does not run here',
  ]);

  const json = await fetch(cloud.url, {
    method: 'POST',
    headers: { 'x-amz-target': 'AWSCognitoIdentityProviderService.AdminGetUser' },
  });
  expect([json.status, await json.json()]).toEqual([
    501,
    {
      __type: 'NotImplemented',
      message: 'This call of AWSCognitoIdentityProviderService does not run on this machine.',
    },
  ]);
  const route53 = await sendSigned({
    method: 'GET',
    url: new URL('/2013-04-01/x', cloud.url),
    service: 'route53',
  });
  expect(await route53.text()).toBe(
    '<Error><Code>NotImplemented</Code><Message>This call of route53 does not run on this machine.</Message></Error>',
  );
});

it('a request of an IAM route that is signed for another service gets 403, as from API Gateway', async () => {
  const cloud = await runCloud(
    httpStack({ routes: { 'GET /a': { authorization: 'AWS_IAM' }, 'GET /b': {}, $default: {} } }),
  );
  const get = async (path: string, service: string) => {
    const { status } = await sendSigned({ method: 'GET', url: new URL(path, cloud.url), service });
    return status;
  };
  expect([await get('/a', 'execute-api'), await get('/a', 'route53')]).toEqual([200, 403]);
  expect(cloud.lines.find((line) => line.startsWith('GET /a 403'))).toMatch(/service/);
  expect([await get('/b', 'route53'), await get('/c', 'route53')]).toEqual([501, 501]);
  // Both services run here, and neither has this path.
  expect([await get('/a', 's3'), await get('/a', 'scheduler')]).toEqual([403, 403]);
});

it('a call of the callback API that is signed for another service gets 403 too', async () => {
  const cloud = await runCloud(webSocketStack({ routes: { $connect: {} } }));
  const url = new URL('/live/@connections/abc', cloud.url);
  for (const service of ['s3', 'scheduler', 'lambda'])
    expect(await sendSigned({ method: 'POST', url, service, body: 'x' })).toMatchObject({ status: 403 });
});

it('an error in CBOR can be read', async () => {
  const cloud = await runCloud(httpStack({ routes: {} }));
  const response = await fetch(`${cloud.url}/service/GraniteServiceVersion20100801/operation/PutMetricData`, {
    method: 'POST',
    headers: {
      'smithy-protocol': 'rpc-v2-cbor',
      authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/monitoring/aws4_request',
    },
  });
  expect(cbor.deserialize(new Uint8Array(await response.arrayBuffer()))).toEqual({
    __type: 'NotImplemented',
    message: 'This call of monitoring does not run on this machine.',
  });
});
