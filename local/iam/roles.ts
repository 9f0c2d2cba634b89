import type { Principal } from './authorize.ts';
import { asRecord, asText, asTexts, asList } from '../json.ts';
import { readPolicy, type Statement } from './policy.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** The developer at this machine, who may do everything, like the owner of an account. */
export function developer(accountId: string): Principal {
  return {
    name: 'local',
    arn: `arn:aws:iam::${accountId}:user/local`,
    statements: readPolicy({ Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }, 'local'),
  };
}

/** A function in its role. Lambda assumes the role in a session with the name of the function. */
export function principalOfFunction(deployment: Deployment, lambda: Resource): Principal {
  const roleArn = asText(lambda.properties.Role) ?? '';
  const role = roleWithArn(deployment, roleArn);
  if (role === undefined)
    throw new TemplateError(`${lambda.logicalId}: its role ${roleArn} is not in the template.`);
  return principalOfRole(deployment, role, deployment.physicalId(lambda.logicalId));
}

export function roleWithArn(deployment: Deployment, arn: string): Resource | undefined {
  return deployment
    .ofType('AWS::IAM::Role')
    .find(({ logicalId }) => deployment.attribute(logicalId, 'Arn') === arn);
}

/** A session of a role, with the inline, attached and managed policies of the role. */
export function principalOfRole(deployment: Deployment, role: Resource, session: string): Principal {
  const roleName = deployment.physicalId(role.logicalId);
  return {
    name: session,
    arn: `arn:aws:sts::${deployment.accountId}:assumed-role/${roleName}/${session}`,
    statements: [
      ...asList(role.properties.Policies).flatMap((policy) =>
        readPolicy(asRecord(policy).PolicyDocument, role.logicalId),
      ),
      ...attachedPolicies(deployment, roleName),
      ...asTexts(role.properties.ManagedPolicyArns).flatMap((arn) =>
        managedPolicy(deployment, arn, role.logicalId),
      ),
    ],
  };
}

/** Whether the trust policy of a role lets an AWS service assume it. Its conditions are not evaluated here. */
export function trusts({ properties }: Resource, service: string): boolean {
  return asList(asRecord(properties.AssumeRolePolicyDocument).Statement)
    .map(asRecord)
    .some(
      ({ Effect, Principal: principal }) =>
        Effect === 'Allow' && asTexts(asRecord(principal).Service).includes(service),
    );
}

function attachedPolicies(deployment: Deployment, roleName: string): readonly Statement[] {
  return [...deployment.ofType('AWS::IAM::Policy'), ...deployment.ofType('AWS::IAM::ManagedPolicy')]
    .filter(({ properties }) => asTexts(properties.Roles).includes(roleName))
    .flatMap(({ logicalId, properties }) => readPolicy(properties.PolicyDocument, logicalId));
}

function managedPolicy(deployment: Deployment, arn: string, roleId: string): readonly Statement[] {
  const own = deployment
    .ofType('AWS::IAM::ManagedPolicy')
    .find(({ logicalId }) => deployment.physicalId(logicalId) === arn);
  if (own !== undefined) return readPolicy(own.properties.PolicyDocument, own.logicalId);
  const actions = Object.hasOwn(awsManagedPolicies, arn) ? awsManagedPolicies[arn] : undefined;
  if (actions === undefined)
    throw new TemplateError(`${roleId}: the managed policy ${arn} is not known here.`);
  return readPolicy({ Statement: { Effect: 'Allow', Action: actions, Resource: '*' } }, roleId);
}

const writeLogs = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];

/**
 * The actions of policies that AWS manages, each on all resources. Each has a page of its name:
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaBasicExecutionRole.html
 */
const awsManagedPolicies: Readonly<Record<string, readonly string[]>> = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': writeLogs,
  'arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole': [
    ...[
      'dynamodb:DescribeStream',
      'dynamodb:GetRecords',
      'dynamodb:GetShardIterator',
      'dynamodb:ListStreams',
    ],
    ...writeLogs,
  ],
  'arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole': [
    ...['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    ...writeLogs,
  ],
  'arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole': [
    ...writeLogs,
    ...['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'],
    ...['ec2:DeleteNetworkInterface', 'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses'],
  ],
  'arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs': [
    ...writeLogs,
    ...['logs:DescribeLogGroups', 'logs:DescribeLogStreams', 'logs:GetLogEvents', 'logs:FilterLogEvents'],
  ],
  'arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess': [
    ...['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules'],
    ...['xray:GetSamplingTargets', 'xray:GetSamplingStatisticSummaries'],
  ],
};
