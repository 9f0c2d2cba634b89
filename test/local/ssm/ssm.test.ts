import {
  DeleteParameterCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { describe, expect, it } from 'vitest';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';

const parameter = (Name: string, Value: string) => ({
  Type: 'AWS::SSM::Parameter',
  Properties: { Name, Type: 'String', Value },
});
const platform = await startPlatform(
  writeAssembly({
    Resources: {
      Size: parameter('/app/size', '3'),
      Colour: parameter('/app/page/colour', 'red'),
      Plain: parameter('plain', 'yes'),
      ...lambdaWithRole('Reader', 'exports.handler = async () => null', {
        statements: [
          allow(['ssm:GetParameter'], {
            'Fn::Sub': 'arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/app/*',
          }),
        ],
      }),
    },
  }),
);
const client = new SSMClient(platform.client);
const get = async (Name: string, WithDecryption?: boolean) =>
  (await client.send(new GetParameterCommand({ Name, WithDecryption }))).Parameter;

describe('SSM parameters', () => {
  it('of the template can be read by name, ARN and version', async () => {
    expect(await get('/app/size')).toMatchObject({
      Name: '/app/size',
      Type: 'String',
      Value: '3',
      Version: 1,
      ARN: 'arn:aws:ssm:us-east-1:000000000000:parameter/app/size',
    });
    expect((await get('plain'))?.ARN).toBe('arn:aws:ssm:us-east-1:000000000000:parameter/plain');
    expect((await get('arn:aws:ssm:us-east-1:000000000000:parameter/plain'))?.Value).toBe('yes');
    expect((await get('/app/size:1'))?.Value).toBe('3');
    await expect(get('/app/size:2')).rejects.toMatchObject({ name: 'ParameterVersionNotFound' });
  });

  it('are listed by names, and by path in pages', async () => {
    const several = await client.send(new GetParametersCommand({ Names: ['plain', 'none'] }));
    expect(several.Parameters?.map(({ Value }) => Value)).toEqual(['yes']);
    expect(several.InvalidParameters).toEqual(['none']);

    const path = async (input: object) => {
      const page = await client.send(new GetParametersByPathCommand({ Path: '/app', ...input }));
      return { names: page.Parameters?.map(({ Name }) => Name), next: page.NextToken };
    };
    expect((await path({})).names).toEqual(['/app/size']);
    const first = await path({ Recursive: true, MaxResults: 1 });
    expect(first.names).toEqual(['/app/page/colour']);
    const second = await path({ Recursive: true, MaxResults: 1, NextToken: first.next });
    expect(second).toEqual({ names: ['/app/size'], next: undefined });
  });

  it('can be put, overwritten and deleted', async () => {
    const put = (input: object) =>
      client.send(new PutParameterCommand({ Name: 'own', Value: 'a', Type: 'String', ...input }));
    expect((await put({})).Version).toBe(1);
    await expect(put({})).rejects.toMatchObject({ name: 'ParameterAlreadyExists' });
    expect((await put({ Value: 'b', Overwrite: true })).Version).toBe(2);
    expect((await get('own'))?.Value).toBe('b');
    await expect(put({ Value: 'x'.repeat(4097), Overwrite: true })).rejects.toThrow('1 to 4096 bytes');
    await client.send(new DeleteParameterCommand({ Name: 'own' }));
    await expect(get('own')).rejects.toMatchObject({ name: 'ParameterNotFound' });
    const again = client.send(new DeleteParameterCommand({ Name: 'own' }));
    await expect(again).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  it('hide the value of a SecureString without decryption', async () => {
    const input = { Name: 'secret', Value: 'hidden', Type: 'SecureString' as const };
    await client.send(new PutParameterCommand(input));
    expect((await get('secret'))?.Value).not.toContain('hidden');
    expect((await get('secret', true))?.Value).toBe('hidden');
  });

  it('need a grant on the parameter, and each call is counted', async () => {
    const reader = new SSMClient(platform.clientOf('Reader'));
    const before = platform.meter.snapshot()['ssm.GetParameter'] ?? 0;
    await reader.send(new GetParameterCommand({ Name: '/app/size' }));
    expect(platform.meter.snapshot()['ssm.GetParameter']).toBe(before + 1);
    await expect(reader.send(new GetParameterCommand({ Name: 'plain' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    const put = new PutParameterCommand({ Name: '/app/size', Value: '4', Overwrite: true });
    await expect(reader.send(put)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});
