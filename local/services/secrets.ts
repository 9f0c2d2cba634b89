import { asNumber, asRecord, asText, parseJson } from '../json.ts';
import type { Meter } from '../meter.ts';
import { callerOf, errorReply, inputOf, jsonReply, refusal, type Reply } from './reply.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { HttpRequest } from '../sigv4/request.ts';
import { stableUuid } from '../template/stable-id.ts';
import type { Deployment, Resource } from '../template/template.ts';

interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly value: string;
  readonly versionId: string;
}

/** The value of every generated secret on this machine. It is known in advance, so tools can sign tokens with it. */
export function generatedSecret(length = 32): string {
  return 'local'.repeat(Math.ceil(length / 5)).slice(0, length);
}

/** GetSecretValue and DescribeSecret over the secrets of the template. */
export function createSecretsManager(options: {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly meter: Meter;
  readonly now: () => number;
}): (request: HttpRequest, operation: string) => Promise<Reply> {
  const { deployment, keys, meter, now } = options;
  const createdAt = now() / 1000;
  const secrets = deployment
    .ofType('AWS::SecretsManager::Secret')
    .map((resource) => readSecret(resource, deployment.physicalId(resource.logicalId)));

  return (request, operation) => Promise.resolve(handle(request, operation));

  function handle(request: HttpRequest, operation: string): Reply {
    const caller = callerOf(keys, request, 'secretsmanager', new Date(now()));
    if (!caller.ok) return caller.reply;
    if (operation !== 'GetSecretValue' && operation !== 'DescribeSecret') {
      return errorReply(400, 'UnknownOperationException');
    }
    const input = inputOf(request);
    if (!input.ok) return input.reply;
    const id = asText(input.value.SecretId) ?? '';
    const secret = find(id);
    const denied = refusal(caller.value, `secretsmanager:${operation}`, [secret?.arn ?? arnOfMissing(id)]);
    if (denied !== undefined) return denied;
    meter.count(`secretsmanager.${operation}`);
    const stage = asText(input.value.VersionStage) ?? 'AWSCURRENT';
    if (secret === undefined) return notFound("Secrets Manager can't find the specified secret.");
    if (stage !== 'AWSCURRENT' || ![undefined, secret.versionId].includes(asText(input.value.VersionId))) {
      return notFound("Secrets Manager can't find the specified secret value for the version asked for.");
    }
    const common = { ARN: secret.arn, Name: secret.name, CreatedDate: createdAt };
    return operation === 'GetSecretValue'
      ? jsonReply({
          ...common,
          VersionId: secret.versionId,
          SecretString: secret.value,
          VersionStages: [stage],
        })
      : jsonReply({ ...common, VersionIdsToStages: { [secret.versionId]: [stage] } });
  }

  /** An id is the ARN, the ARN without its six random characters, or the name. */
  function find(id: string): Secret | undefined {
    return secrets.find(({ arn, name }) => id === arn || id === name || id === arn.slice(0, -7));
  }

  function arnOfMissing(name: string): string {
    if (name.startsWith('arn:')) return name;
    return `arn:aws:secretsmanager:${deployment.region}:${deployment.accountId}:secret:${name}`;
  }
}

function readSecret({ properties }: Resource, arn: string): Secret {
  const value = asText(properties.SecretString) ?? generated(properties.GenerateSecretString);
  const name = arn.slice(arn.indexOf(':secret:') + ':secret:'.length, -7);
  return { arn, name, value, versionId: stableUuid(arn) };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html */
function generated(settings: unknown): string {
  const { PasswordLength, SecretStringTemplate, GenerateStringKey } = asRecord(settings);
  const password = generatedSecret(asNumber(PasswordLength));
  const key = asText(GenerateStringKey);
  if (key === undefined) return password;
  return JSON.stringify({
    ...asRecord(parseJson(asText(SecretStringTemplate) ?? '{}')?.value),
    [key]: password,
  });
}

function notFound(message: string): Reply {
  return errorReply(400, 'ResourceNotFoundException', message, 'com.amazonaws.secretsmanager');
}
