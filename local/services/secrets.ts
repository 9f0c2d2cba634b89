import { asNumber, asRecord, asText, type JsonRecord, parseJson } from '../json.ts';
import type { Meter } from '../meter.ts';
import { callerOf, errorReply, inputOf, jsonReply, refusal, type Reply } from './reply.ts';
import { SecretVersions } from './secret-versions.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { HttpRequest } from '../sigv4/request.ts';
import { stableUuid } from '../template/stable-id.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** Makes what the generated secrets of a cloud hold: 64 letters and digits of 256 random bits. */
export function newSecret(random: (bytes: number) => Buffer): string {
  return random(32).toString('hex');
}

export interface SecretsManager {
  readonly handle: (request: HttpRequest, operation: string) => Promise<Reply>;
  /** Takes the secrets of another deployment. Where the template says the same of a secret, its versions stay. */
  readonly update: (deployment: Deployment) => void;
}

interface Secret {
  readonly arn: string;
  readonly name: string;
  /** What the template says of it. */
  readonly template: string;
  readonly versions: SecretVersions;
}

/** GetSecretValue, PutSecretValue and DescribeSecret over the secrets of the template. */
export function createSecretsManager(options: {
  readonly deployment: Deployment;
  /** What the generated secrets hold, cut or repeated to their length: tools sign tokens with it. */
  readonly secret: string;
  readonly keys: KeyRing;
  readonly meter: Meter;
  readonly now: () => number;
}): SecretsManager {
  const { secret: generated, keys, meter, now } = options;
  const createdAt = now() / 1000;
  let { deployment } = options;
  let secrets: readonly Secret[] = [];
  update(deployment);

  return { handle: (request, operation) => Promise.resolve(handle(request, operation)), update };

  function update(next: Deployment): void {
    const before = secrets;
    deployment = next;
    secrets = next.ofType('AWS::SecretsManager::Secret').map((resource) => {
      const read = readSecret(resource, next.physicalId(resource.logicalId), generated);
      return before.find(({ arn, template }) => arn === read.arn && template === read.template) ?? read;
    });
  }

  function handle(request: HttpRequest, operation: string): Reply {
    const caller = callerOf(keys, request, 'secretsmanager', new Date(now()));
    if (!caller.ok) return caller.reply;
    const run = operations[operation];
    if (run === undefined) return errorReply(400, 'UnknownOperationException');
    const input = inputOf(request);
    if (!input.ok) return input.reply;
    const id = asText(input.value.SecretId) ?? '';
    const secret = find(id);
    const denied = refusal(caller.value, `secretsmanager:${operation}`, [secret?.arn ?? arnOfMissing(id)]);
    if (denied !== undefined) return denied;
    meter.count(`secretsmanager.${operation}`);
    if (secret === undefined)
      return failure('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return run(secret, input.value, createdAt);
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

type Operation = (secret: Secret, input: JsonRecord, createdAt: number) => Reply;

const operations: Readonly<Record<string, Operation | undefined>> = {
  DescribeSecret: ({ arn, name, versions }, _input, createdAt) =>
    jsonReply({ ARN: arn, Name: name, CreatedDate: createdAt, VersionIdsToStages: versions.stages }),

  /** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
  GetSecretValue({ arn, name, versions }, { VersionId, VersionStage }, createdAt) {
    const found = versions.find(asText(VersionId), asText(VersionStage));
    if (found === undefined) {
      const what = 'the specified secret value for the version and staging label asked for';
      return failure('ResourceNotFoundException', `Secrets Manager can't find ${what}.`);
    }
    const { id, text, stages } = found;
    const version = { VersionId: id, SecretString: text, VersionStages: stages };
    return jsonReply({ ARN: arn, Name: name, CreatedDate: createdAt, ...version });
  },

  /** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html */
  PutSecretValue({ arn, name, versions }, { ClientRequestToken, SecretString, VersionStages }) {
    const [id, text] = [asText(ClientRequestToken) ?? '', asText(SecretString) ?? ''];
    const stages = VersionStages ?? ['AWSCURRENT'];
    const isInvalid = (what: string): Reply => failure('InvalidParameterException', what);
    if (id.length < 32 || id.length > 64)
      return isInvalid('ClientRequestToken must have 32 to 64 characters.');
    if (text === '' || text.length > 65_536)
      return isInvalid('SecretString must have 1 to 65536 characters.');
    if (!isStages(stages)) return isInvalid('VersionStages must have 1 to 20 labels of 1 to 256 characters.');
    const version = versions.put(id, text, stages);
    if (version === undefined)
      return failure('ResourceExistsException', 'This version has another value. A version cannot change.');
    return jsonReply({ ARN: arn, Name: name, VersionId: id, VersionStages: version.stages });
  },
};

function isStages(value: unknown): value is string[] {
  const isStage = (each: unknown) => typeof each === 'string' && each.length >= 1 && each.length <= 256;
  return Array.isArray(value) && value.length >= 1 && value.length <= 20 && value.every(isStage);
}

function readSecret({ properties }: Resource, arn: string, generated: string): Secret {
  const text = asText(properties.SecretString) ?? generate(properties.GenerateSecretString, generated);
  const name = arn.slice(arn.indexOf(':secret:') + ':secret:'.length, -7);
  const versions = new SecretVersions(stableUuid(arn), text);
  return { arn, name, template: JSON.stringify(properties), versions };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html */
function generate(settings: unknown, secret: string): string {
  const { PasswordLength, SecretStringTemplate, GenerateStringKey } = asRecord(settings);
  const length = asNumber(PasswordLength) ?? 32;
  const password = secret.repeat(Math.ceil(length / secret.length)).slice(0, length);
  const key = asText(GenerateStringKey);
  if (key === undefined) return password;
  return JSON.stringify({
    ...asRecord(parseJson(asText(SecretStringTemplate) ?? '{}')?.value),
    [key]: password,
  });
}

function failure(code: string, message: string): Reply {
  return errorReply(400, code, message, 'com.amazonaws.secretsmanager');
}
