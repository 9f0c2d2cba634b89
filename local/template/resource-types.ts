import { asText } from '../json.ts';
import { stableId, stableUuid } from './stable-id.ts';

/** One resource, seen while its references are being resolved. */
export interface ResourceContext {
  readonly logicalId: string;
  readonly type: string;
  readonly stackName: string;
  readonly region: string;
  readonly accountId: string;
  readonly endpoint: string;
  /** A resolved property. Properties are resolved one at a time, since a policy may name its own function. */
  property(name: string): unknown;
}

export interface ResourceType {
  /** The value of `Ref`. */
  ref(resource: ResourceContext): string;
  /** The value of `Fn::GetAtt`; `undefined` if the type has no such attribute. */
  attribute(name: string): ((resource: ResourceContext) => string) | undefined;
}

/**
 * The resource types that can run here, with the return values of their pages in the CloudFormation reference:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
 */
const types: Readonly<Record<string, ResourceType>> = {
  'AWS::ApiGatewayV2::Api': type(shortId, {
    ApiId: shortId,
    ApiEndpoint: (api) =>
      `${api.property('ProtocolType') === 'WEBSOCKET' ? 'wss' : 'https'}://${shortId(api)}.${executeApiHost(api.region)}`,
  }),
  'AWS::ApiGatewayV2::Stage': type((stage) => asText(stage.property('StageName')) ?? '$default'),
  'AWS::ApiGatewayV2::Route': type(shortId, { RouteId: shortId }),
  'AWS::ApiGatewayV2::RouteResponse': type(shortId, { RouteResponseId: shortId }),
  'AWS::ApiGatewayV2::Integration': type(shortId, { IntegrationId: shortId }),
  'AWS::ApiGatewayV2::IntegrationResponse': type(shortId, { IntegrationResponseId: shortId }),
  'AWS::ApiGatewayV2::Authorizer': type(shortId, { AuthorizerId: shortId }),
  'AWS::ApiGatewayV2::Deployment': type(shortId, { DeploymentId: shortId }),
  'AWS::ApiGatewayV2::DomainName': type(domainName, {
    DomainNameArn: (it) => arn({ ...it, accountId: '' }, 'apigateway', `/domainnames/${domainName(it)}`),
    RegionalDomainName: (it) => `d-${shortId(it)}.${executeApiHost(it.region)}`,
    RegionalHostedZoneId: (it) => `Z${hash(it, 13).toUpperCase()}`,
  }),
  'AWS::ApiGatewayV2::ApiMapping': type(shortId, { ApiMappingId: shortId }),
  'AWS::Lambda::Function': type(named('FunctionName', 64), {
    Arn: (it) => arn(it, 'lambda', `function:${named('FunctionName', 64)(it)}`),
  }),
  'AWS::Lambda::Version': type(versionArn, { FunctionArn: versionArn, Version: () => '1' }),
  'AWS::Lambda::Alias': type(aliasArn, { AliasArn: aliasArn }),
  'AWS::Lambda::LayerVersion': type((it) => arn(it, 'lambda', `layer:${named('LayerName', 140)(it)}:1`)),
  'AWS::Lambda::Permission': type(shortId, { Id: shortId }),
  'AWS::Lambda::EventSourceMapping': type(uuid, {
    Id: uuid,
    EventSourceMappingArn: (it) => arn(it, 'lambda', `event-source-mapping:${uuid(it)}`),
  }),
  'AWS::IAM::Role': type(named('RoleName', 64), {
    Arn: (it) => globalArn(it, 'iam', `role/${named('RoleName', 64)(it)}`),
    RoleId: (it) => `AROA${hash(it, 17).toUpperCase()}`,
  }),
  'AWS::IAM::Policy': type(named('PolicyName', 128), { Id: shortId }),
  'AWS::IAM::ManagedPolicy': type(managedPolicyArn, { PolicyArn: managedPolicyArn }),
  'AWS::Logs::LogGroup': type(named('LogGroupName', 512), {
    Arn: (it) => arn(it, 'logs', `log-group:${named('LogGroupName', 512)(it)}:*`),
  }),
  'AWS::DynamoDB::Table': type(tableName, { Arn: tableArn, StreamArn: tableStreamArn }),
  'AWS::DynamoDB::GlobalTable': type(tableName, { Arn: tableArn, StreamArn: tableStreamArn, TableId: uuid }),
  'AWS::SecretsManager::Secret': type(secretArn, { Id: secretArn }),
  'AWS::SQS::Queue': type(queueUrl, {
    Arn: (it) => arn(it, 'sqs', queueName(it)),
    QueueName: queueName,
    QueueUrl: queueUrl,
  }),
  'AWS::SQS::QueuePolicy': type(shortId, { Id: shortId }),
  'AWS::S3::Bucket': type(bucketName, {
    Arn: (it) => `arn:aws:s3:::${bucketName(it)}`,
    DomainName: (it) => `${bucketName(it)}.s3.amazonaws.com`,
    RegionalDomainName: (it) => `${bucketName(it)}.s3.${it.region}.amazonaws.com`,
    DualStackDomainName: (it) => `${bucketName(it)}.s3.dualstack.${it.region}.amazonaws.com`,
    WebsiteURL: (it) => `http://${bucketName(it)}.s3-website-${it.region}.amazonaws.com`,
  }),
  'AWS::S3::BucketPolicy': type((it) => asText(it.property('Bucket')) ?? it.logicalId),
  'AWS::Events::EventBus': type(named('Name', 256), {
    Arn: (it) => arn(it, 'events', `event-bus/${named('Name', 256)(it)}`),
    Name: named('Name', 256),
  }),
  'AWS::Events::Rule': type(ruleName, {
    Arn: (it) => arn(it, 'events', `rule/${ruleName(it).replace('|', '/')}`),
  }),
  'AWS::Scheduler::Schedule': type(named('Name', 64), {
    Arn: (it) =>
      arn(
        it,
        'scheduler',
        `schedule/${asText(it.property('GroupName')) ?? 'default'}/${named('Name', 64)(it)}`,
      ),
  }),
  'AWS::Scheduler::ScheduleGroup': type(named('Name', 64), {
    Arn: (it) => arn(it, 'scheduler', `schedule-group/${named('Name', 64)(it)}`),
  }),
  'AWS::SSM::Parameter': type(named('Name', 1011), {
    Type: (it) => asText(it.property('Type')) ?? 'String',
    Value: (it) => asText(it.property('Value')) ?? '',
  }),
  'AWS::CloudWatch::Alarm': type(named('AlarmName', 255), {
    Arn: (it) => arn(it, 'cloudwatch', `alarm:${named('AlarmName', 255)(it)}`),
  }),
  'AWS::CloudWatch::Dashboard': type(named('DashboardName', 255)),
  'AWS::KMS::Key': type(uuid, { KeyId: uuid, Arn: (it) => arn(it, 'kms', `key/${uuid(it)}`) }),
  'AWS::KMS::Alias': type((it) => asText(it.property('AliasName')) ?? `alias/${it.logicalId}`),
  'AWS::CDK::Metadata': type((it) => it.logicalId),
};

/** Whether resources of a type run here, or need not run. All others are inert. */
export function runsHere(type: string): boolean {
  return Object.hasOwn(types, type);
}

export function resourceType(name: string): ResourceType {
  return types[runsHere(name) ? name : ''] ?? inertType;
}

/** The host that an API's default endpoint is under, after `{apiId}.` */
export function executeApiHost(region: string): string {
  return `execute-api.${region}.amazonaws.com`;
}

/**
 * A type that does not run here. Any attribute has a value, so that the rest of the template resolves. An address has a
 * host that exists nowhere (RFC 6761, 6.4), so that no call can reach a stranger.
 */
const inertType: ResourceType = {
  ref: inertName,
  attribute(name) {
    if (name.endsWith('Arn')) return inertArn;
    if (/(?:Url|URL|Endpoint)$/.test(name)) return (it) => `https://${shortId(it)}.invalid`;
    return (it) => `${inertName(it)}-${name}`;
  },
};

function inertName(it: ResourceContext): string {
  return `${it.stackName}-${it.logicalId}-${hash(it, 12).toUpperCase()}`;
}

/** `arn:aws:cognito:…:userpool/…` for `AWS::Cognito::UserPool`. */
function inertArn(it: ResourceContext): string {
  const [, service = 'custom', kind = 'resource'] = it.type.toLowerCase().split('::');
  return arn(it, service, `${kind}/${inertName(it)}`);
}

function type(
  ref: ResourceType['ref'],
  attributes: Readonly<Record<string, (resource: ResourceContext) => string>> = {},
): ResourceType {
  return { ref, attribute: (name) => (Object.hasOwn(attributes, name) ? attributes[name] : undefined) };
}

function hash(resource: ResourceContext, length: number): string {
  return stableId(`${resource.stackName}/${resource.logicalId}`, length);
}

/** An id of API Gateway has ten lower-case letters and digits. */
function shortId(resource: ResourceContext): string {
  return hash(resource, 10);
}

function uuid(resource: ResourceContext): string {
  return stableUuid(`${resource.stackName}/${resource.logicalId}`);
}

/** The given name, or the one that CloudFormation makes: stack, logical id and suffix, cut to the limit of the service. */
function named(property: string, maxLength: number, suffix = ''): (resource: ResourceContext) => string {
  return (resource) => {
    const given = asText(resource.property(property));
    if (given !== undefined) return given;
    const unique = `-${hash(resource, 12).toUpperCase()}${suffix}`;
    return `${resource.stackName}-${resource.logicalId}`.slice(0, maxLength - unique.length) + unique;
  };
}

function arn(resource: ResourceContext, service: string, rest: string): string {
  return `arn:aws:${service}:${resource.region}:${resource.accountId}:${rest}`;
}

function globalArn(resource: ResourceContext, service: string, rest: string): string {
  return `arn:aws:${service}::${resource.accountId}:${rest}`;
}

function domainName(domain: ResourceContext): string {
  return asText(domain.property('DomainName')) ?? domain.logicalId;
}

function managedPolicyArn(policy: ResourceContext): string {
  return globalArn(policy, 'iam', `policy/${named('ManagedPolicyName', 128)(policy)}`);
}

function tableName(table: ResourceContext): string {
  return named('TableName', 255)(table);
}

function tableArn(table: ResourceContext): string {
  return arn(table, 'dynamodb', `table/${tableName(table)}`);
}

function tableStreamArn(table: ResourceContext): string {
  return `${tableArn(table)}/stream/2020-01-01T00:00:00.000`;
}

/** Secrets Manager appends a hyphen and six characters to the name. */
function secretArn(secret: ResourceContext): string {
  return arn(secret, 'secretsmanager', `secret:${named('Name', 512)(secret)}-${hash(secret, 6)}`);
}

/** Names of buckets have no capitals, and at most 63 characters. */
function bucketName(bucket: ResourceContext): string {
  return named('BucketName', 63)(bucket).toLowerCase();
}

/** On another bus than the default one, the name of the bus is before it. */
function ruleName(rule: ResourceContext): string {
  const bus = asText(rule.property('EventBusName'))?.split('/').at(-1) ?? 'default';
  return bus === 'default' ? named('Name', 64)(rule) : `${bus}|${named('Name', 64)(rule)}`;
}

/** There is one version here, so each has the number 1. */
function versionArn(version: ResourceContext): string {
  return `${functionArnOf(version)}:1`;
}

function aliasArn(alias: ResourceContext): string {
  return `${functionArnOf(alias)}:${asText(alias.property('Name')) ?? ''}`;
}

function functionArnOf(it: ResourceContext): string {
  const nameOrArn = asText(it.property('FunctionName')) ?? '';
  return nameOrArn.startsWith('arn:') ? nameOrArn : arn(it, 'lambda', `function:${nameOrArn}`);
}

function queueName(queue: ResourceContext): string {
  return named('QueueName', 80, String(queue.property('FifoQueue')) === 'true' ? '.fifo' : '')(queue);
}

function queueUrl(queue: ResourceContext): string {
  return `${queue.endpoint}/${queue.accountId}/${queueName(queue)}`;
}
