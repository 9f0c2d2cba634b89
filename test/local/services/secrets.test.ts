import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { generatedSecret } from '../../../local/services/secrets.ts';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';

const secret = (Properties: object) => ({ Type: 'AWS::SecretsManager::Secret', Properties });
const assembly = writeAssembly({
  Resources: {
    Generated: secret({ Name: 'token', GenerateSecretString: { PasswordLength: 12 } }),
    Keyed: secret({
      GenerateSecretString: { SecretStringTemplate: '{"user":"me"}', GenerateStringKey: 'password' },
    }),
    Given: secret({ SecretString: 'as it is' }),
    ...lambdaWithRole('Reader', 'exports.handler = async () => null', {
      statements: [allow('secretsmanager:GetSecretValue', { Ref: 'Generated' })],
    }),
  },
});
const platform = await startPlatform(assembly);
const client = new SecretsManagerClient(platform.client);
const arn = platform.deployment.physicalId('Generated');
const valueOf = async (SecretId: string) =>
  (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString;

describe('Secrets Manager', () => {
  it('generates a fixed value, so that tools can sign tokens with it', async () => {
    expect(generatedSecret(12)).toBe('locallocallo');
    expect(generatedSecret()).toHaveLength(32);
    expect(await valueOf(arn)).toBe(generatedSecret(12));
    expect(await valueOf(platform.deployment.physicalId('Keyed'))).toBe(
      JSON.stringify({ user: 'me', password: generatedSecret() }),
    );
    expect(await valueOf(platform.deployment.physicalId('Given'))).toBe('as it is');
  });

  it('finds a secret by name, by ARN and by ARN without the suffix', async () => {
    expect(arn).toMatch(/:secret:token-[a-z0-9]{6}$/);
    expect(await valueOf('token')).toBe(await valueOf(arn));
    expect(await valueOf(arn.slice(0, -7))).toBe(await valueOf(arn));
  });

  it('describes a secret without its value', async () => {
    const described = await client.send(new DescribeSecretCommand({ SecretId: 'token' }));
    expect(described).toMatchObject({ ARN: arn, Name: 'token' });
    expect(JSON.stringify(described)).not.toContain(generatedSecret(12));
  });

  it('refuses a call that the role does not grant, an unknown secret, and an unsupported operation', async () => {
    const reader = new SecretsManagerClient(platform.clientOf('Reader'));
    await expect(reader.send(new GetSecretValueCommand({ SecretId: arn }))).resolves.toMatchObject({
      Name: 'token',
    });
    await expect(reader.send(new DescribeSecretCommand({ SecretId: arn }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    const missing = client.send(new GetSecretValueCommand({ SecretId: 'nothing' }));
    await expect(missing).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const previous = client.send(
      new GetSecretValueCommand({ SecretId: 'token', VersionStage: 'AWSPREVIOUS' }),
    );
    await expect(previous).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(client.send(new ListSecretsCommand())).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
  });
});
