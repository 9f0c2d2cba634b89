import { asText } from '../json.ts';
import { stableId, stableUuid } from './stable-id.ts';

/** One resource, seen while its references are being resolved. */
export interface ResourceContext {
  readonly logicalId: string;
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
  /** The values of `Fn::GetAtt`, by attribute. */
  readonly attributes: Readonly<Record<string, (resource: ResourceContext) => string>>;
}

/**
 * The resource types that can run here, with the return values of their pages in the CloudFormation reference:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
 */
export const resourceTypes: Readonly<Record<string, ResourceType>> = {
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
  'AWS::CloudWatch::Alarm': type(named('AlarmName', 255), {
    Arn: (it) => arn(it, 'cloudwatch', `alarm:${named('AlarmName', 255)(it)}`),
  }),
  'AWS::CloudWatch::Dashboard': type(named('DashboardName', 255)),
  'AWS::KMS::Key': type(uuid, { KeyId: uuid, Arn: (it) => arn(it, 'kms', `key/${uuid(it)}`) }),
  'AWS::KMS::Alias': type((it) => asText(it.property('AliasName')) ?? `alias/${it.logicalId}`),
  'AWS::CDK::Metadata': type((it) => it.logicalId),
};

/** The host that an API's default endpoint is under, after `{apiId}.` */
export function executeApiHost(region: string): string {
  return `execute-api.${region}.amazonaws.com`;
}

function type(ref: ResourceType['ref'], attributes: ResourceType['attributes'] = {}): ResourceType {
  return { ref, attributes };
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

function queueName(queue: ResourceContext): string {
  return named('QueueName', 80, String(queue.property('FifoQueue')) === 'true' ? '.fifo' : '')(queue);
}

function queueUrl(queue: ResourceContext): string {
  return `${queue.endpoint}/${queue.accountId}/${queueName(queue)}`;
}
