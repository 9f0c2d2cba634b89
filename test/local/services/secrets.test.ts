import { randomUUID } from 'node:crypto';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandInput,
  ListSecretsCommand,
  PutSecretValueCommand,
  type PutSecretValueCommandInput,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { newSecret } from '../../../local/services/secrets.ts';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { writeAssembly as writeVersion } from '../harness/inline-functions.ts';
import { startPlatform } from '../harness/platform.ts';
import { runCloud } from '../harness/running-cloud.ts';

const secret = (Properties: Readonly<Record<string, unknown>>) => ({
  Type: 'AWS::SecretsManager::Secret',
  Properties,
});
const assembly = writeAssembly({
  Resources: {
    Generated: secret({ Name: 'token', GenerateSecretString: { PasswordLength: 12 } }),
    Long: secret({ GenerateSecretString: { PasswordLength: 20 } }),
    Keyed: secret({
      GenerateSecretString: { SecretStringTemplate: '{"user":"me"}', GenerateStringKey: 'password' },
    }),
    Given: secret({ SecretString: 'as it is' }),
    ...Object.fromEntries(
      ['first', 'second', 'third', 'same', 'pending', 'bad'].map((Name) => [
        Name,
        secret({ Name, SecretString: 'v1' }),
      ]),
    ),
    ...lambdaWithRole('Reader', 'exports.handler = async () => null', {
      statements: [allow('secretsmanager:GetSecretValue', { Ref: 'Generated' })],
    }),
  },
});
const platform = await startPlatform(assembly, { secret: 'abcdefghijklmnop' });
const client = new SecretsManagerClient(platform.client);
const idOf = (logicalId: string) => platform.deployment.physicalId(logicalId);
const arn = idOf('Generated');

const get = (SecretId: string, rest: Partial<GetSecretValueCommandInput> = {}) =>
  client.send(new GetSecretValueCommand({ SecretId, ...rest }));
const put = (SecretId: string, SecretString: string, rest: Partial<PutSecretValueCommandInput> = {}) =>
  client.send(new PutSecretValueCommand({ SecretId, SecretString, ...rest }));
const valueOf = async (SecretId: string, VersionStage?: string) =>
  (await get(SecretId, VersionStage === undefined ? {} : { VersionStage })).SecretString;

describe('Secrets Manager', () => {
  it('generates from the secret of the cloud, cut or repeated to the length that the template asks for', async () => {
    expect(await valueOf(arn)).toBe('abcdefghijkl');
    expect(await valueOf(idOf('Long'))).toBe('abcdefghijklmnopabcd');
  });

  it('keeps the form that the template gives a secret, and a value that it names', async () => {
    expect(await valueOf(idOf('Keyed'))).toBe(
      JSON.stringify({ user: 'me', password: 'abcdefghijklmnopabcdefghijklmnop' }),
    );
    expect(await valueOf(idOf('Given'))).toBe('as it is');
  });

  it('finds a secret by name, by ARN and by ARN without the suffix', async () => {
    expect(arn).toMatch(/:secret:token-[a-z0-9]{6}$/);
    expect(await valueOf('token')).toBe(await valueOf(arn));
    expect(await valueOf(arn.slice(0, -7))).toBe(await valueOf(arn));
  });

  it('describes a secret without its value', async () => {
    const described = await client.send(new DescribeSecretCommand({ SecretId: 'token' }));
    expect(described).toMatchObject({ ARN: arn, Name: 'token' });
    expect(Object.values(described.VersionIdsToStages ?? {})).toEqual([['AWSCURRENT']]);
    expect(JSON.stringify(described)).not.toContain('abcdef');
  });

  it('refuses a call that the role does not grant, an unknown secret, and an unsupported operation', async () => {
    const reader = new SecretsManagerClient(platform.clientOf('Reader'));
    await expect(reader.send(new GetSecretValueCommand({ SecretId: arn }))).resolves.toMatchObject({
      Name: 'token',
    });
    const denied = { name: 'AccessDeniedException' };
    await expect(reader.send(new DescribeSecretCommand({ SecretId: arn }))).rejects.toMatchObject(denied);
    const write = new PutSecretValueCommand({ SecretId: arn, SecretString: 'mine' });
    await expect(reader.send(write)).rejects.toMatchObject(denied);
    await expect(get('nothing')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(client.send(new ListSecretsCommand())).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
  });
});

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
describe('a rotation', () => {
  it('begins without a previous version', async () => {
    await expect(get('first', { VersionStage: 'AWSPREVIOUS' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('makes the new value current and the one before it previous', async () => {
    const { VersionId, VersionStages } = await put('second', 'v2');
    expect(VersionStages).toEqual(['AWSCURRENT']);
    expect(await get('second')).toMatchObject({ SecretString: 'v2', VersionId, VersionStages });
    expect(await valueOf('second', 'AWSCURRENT')).toBe('v2');
    expect(await valueOf('second', 'AWSPREVIOUS')).toBe('v1');
  });

  it('keeps no label on a version that is older still, which only its id finds', async () => {
    const { VersionId } = await get('third');
    await put('third', 'v2');
    await put('third', 'v3');
    expect([await valueOf('third'), await valueOf('third', 'AWSPREVIOUS')]).toEqual(['v3', 'v2']);
    const oldest = VersionId === undefined ? {} : { VersionId };
    expect(await get('third', oldest)).toMatchObject({ SecretString: 'v1', VersionStages: [] });
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: 'third' }));
    expect(Object.values(VersionIdsToStages ?? {}).sort()).toEqual([['AWSCURRENT'], ['AWSPREVIOUS']]);
    const both = get('third', { ...oldest, VersionStage: 'AWSCURRENT' });
    await expect(both).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('takes the same version twice, and refuses it with another value', async () => {
    const ClientRequestToken = randomUUID();
    await put('same', 'v2', { ClientRequestToken });
    await put('same', 'v2', { ClientRequestToken });
    expect(await valueOf('same', 'AWSPREVIOUS')).toBe('v1');
    await expect(put('same', 'v3', { ClientRequestToken })).rejects.toMatchObject({
      name: 'ResourceExistsException',
    });
    expect(await valueOf('same')).toBe('v2');
  });

  it('leaves the current version alone if the new one has another label', async () => {
    await put('pending', 'v2', { VersionStages: ['AWSPENDING'] });
    expect([await valueOf('pending'), await valueOf('pending', 'AWSPENDING')]).toEqual(['v1', 'v2']);
  });

  it.each<[string, Partial<PutSecretValueCommandInput>]>([
    ['SecretString', { SecretString: '' }],
    ['SecretString', { SecretString: 'x'.repeat(65_537) }],
    ['ClientRequestToken', { ClientRequestToken: 'short' }],
    ['VersionStages', { VersionStages: [] }],
    ['VersionStages', { VersionStages: [''] }],
  ])('refuses a wrong %s', async (field, wrong) => {
    const refused = { name: 'InvalidParameterException', message: expect.stringContaining(field) as string };
    await expect(put('bad', 'v2', wrong)).rejects.toMatchObject(refused);
    expect(await valueOf('bad')).toBe('v1');
  });

  it('outlasts a new version of the app, unless it changes the secret', async () => {
    const stack = (value: string) => ({
      Kept: secret({ Name: 'kept', SecretString: 'v1' }),
      Changed: secret({ Name: 'changed', SecretString: value }),
    });
    const cloud = await runCloud(stack('v1'));
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const manager = new SecretsManagerClient({ endpoint: cloud.url, region: 'us-east-1', credentials });
    const read = async (SecretId: string) =>
      (await manager.send(new GetSecretValueCommand({ SecretId }))).SecretString;
    for (const SecretId of ['kept', 'changed'])
      await manager.send(new PutSecretValueCommand({ SecretId, SecretString: 'v2' }));
    const next = { ...stack('other'), New: secret({ Name: 'new', SecretString: 'v1' }) };
    await cloud.update(await writeVersion(next));
    expect([await read('kept'), await read('changed'), await read('new')]).toEqual(['v2', 'other', 'v1']);
    manager.destroy();
  });
});

describe('the secret of a cloud', () => {
  it('is random, unless it is given: 64 letters and digits', async () => {
    const [one, other] = [await runCloud({}), await runCloud({})];
    expect(one.secret).toMatch(/^[a-z0-9]{64}$/);
    expect(one.secret).not.toBe(other.secret);
    expect((await runCloud({}, { secret: 'given' })).secret).toBe('given');
    expect(newSecret((bytes) => Buffer.alloc(bytes, 0xab))).toBe('ab'.repeat(32));
  });
});
