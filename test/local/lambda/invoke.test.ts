import { InvokeCommand, type InvokeCommandInput, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';

const assembly = writeAssembly({
  Resources: {
    ...lambdaWithRole(
      'Echo',
      'exports.handler = async (event) => { process.stdout.write("seen"); return event }',
      {
        statements: [allow('lambda:InvokeFunction', { 'Fn::GetAtt': ['Faulty', 'Arn'] })],
      },
    ),
    ...lambdaWithRole('Faulty', 'exports.handler = async () => { throw new TypeError("broken") }'),
    ...lambdaWithRole('Reserved', 'exports.handler = async () => null', {
      properties: { ReservedConcurrentExecutions: 0 },
    }),
  },
});
// An hour in a second: the retries of an asynchronous call come after one and two minutes.
const platform = await startPlatform(assembly, { clockSpeed: 3600 });
const client = new LambdaClient(platform.client);
const name = platform.deployment.physicalId('Echo');
const text = (bytes?: Uint8Array): string => new TextDecoder().decode(bytes);

function invoke(input: Partial<InvokeCommandInput>, by = client) {
  return by.send(new InvokeCommand({ FunctionName: name, Payload: '{"a":1}', ...input }));
}

describe('Invoke', () => {
  it('answers with what the function returns, by name, partial and full ARN', async () => {
    const names = [
      name,
      `000000000000:function:${name}`,
      platform.deployment.attribute('Echo', 'Arn'),
      `${name}:$LATEST`,
    ];
    for (const FunctionName of names) {
      const { StatusCode, Payload, ExecutedVersion, FunctionError } = await invoke({ FunctionName });
      expect([StatusCode, text(Payload), ExecutedVersion, FunctionError]).toEqual([
        200,
        '{"a":1}',
        '$LATEST',
        undefined,
      ]);
    }
  });

  it('treats a missing payload as an empty object', async () => {
    expect(text((await client.send(new InvokeCommand({ FunctionName: name }))).Payload)).toBe('{}');
  });

  it('answers 200 even if the function fails, and shows no stack trace', async () => {
    const { StatusCode, FunctionError, Payload } = await invoke({
      FunctionName: platform.deployment.physicalId('Faulty'),
    });
    expect([StatusCode, FunctionError]).toEqual([200, 'Unhandled']);
    expect(text(Payload)).toBe('{"errorType":"TypeError","errorMessage":"broken"}');
  });

  it('of an event answers at once, and tries a function that fails three times in all', async () => {
    const FunctionName = platform.deployment.physicalId('Faulty');
    const before = platform.meter.snapshot()['lambda.Faulty.invocations'] ?? 0;
    expect((await invoke({ FunctionName, InvocationType: 'Event' })).StatusCode).toBe(202);
    const tries = () => (platform.meter.snapshot()['lambda.Faulty.invocations'] ?? 0) - before;
    await expect.poll(tries, { timeout: 15_000 }).toBe(3);
  });

  it('as a dry run only checks the permission', async () => {
    const before = platform.meter.snapshot()['lambda.Echo.invocations'];
    expect((await invoke({ InvocationType: 'DryRun' })).StatusCode).toBe(204);
    expect(platform.meter.snapshot()['lambda.Echo.invocations']).toBe(before);
  });

  it('of more than 6 MB, or 1 MB as an event, is too large', async () => {
    const Payload = JSON.stringify('x'.repeat(1024 * 1024));
    expect((await invoke({ Payload })).StatusCode).toBe(200);
    await expect(invoke({ Payload, InvocationType: 'Event' })).rejects.toMatchObject({
      name: 'RequestTooLargeException',
    });
    await expect(invoke({ Payload: JSON.stringify('x'.repeat(6 * 1024 * 1024)) })).rejects.toMatchObject({
      name: 'RequestTooLargeException',
      $metadata: { httpStatusCode: 413 },
    });
  });

  it('refuses a payload that is not JSON, an unknown function, a missing right and a throttled function', async () => {
    await expect(invoke({ Payload: '{' })).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
    await expect(invoke({ FunctionName: 'nobody' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody',
    });
    const echo = new LambdaClient(platform.clientOf('Echo'));
    await expect(
      invoke({ FunctionName: platform.deployment.physicalId('Faulty') }, echo),
    ).resolves.toMatchObject({ StatusCode: 200 });
    await expect(invoke({}, echo)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 403 },
    });
    await expect(invoke({ FunctionName: platform.deployment.physicalId('Reserved') })).rejects.toMatchObject({
      name: 'TooManyRequestsException',
    });
  });

  it('refuses a wrong signature', async () => {
    const stranger = new LambdaClient({
      ...platform.client,
      credentials: { accessKeyId: 'local', secretAccessKey: 'guess' },
    });
    await expect(invoke({}, stranger)).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });
});
