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

/** A function in its role, with the inline, attached and managed policies of the role. */
export function principalOfFunction(deployment: Deployment, lambda: Resource): Principal {
  const roleArn = asText(lambda.properties.Role) ?? '';
  const role = deployment
    .ofType('AWS::IAM::Role')
    .find(({ logicalId }) => deployment.attribute(logicalId, 'Arn') === roleArn);
  if (role === undefined)
    throw new TemplateError(`${lambda.logicalId}: its role ${roleArn} is not in the template.`);
  const name = deployment.physicalId(lambda.logicalId);
  const roleName = deployment.physicalId(role.logicalId);
  return {
    name,
    // Lambda assumes the role in a session with the name of the function.
    arn: `arn:aws:sts::${deployment.accountId}:assumed-role/${roleName}/${name}`,
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
  const document = awsManagedPolicies[arn];
  if (document === undefined)
    throw new TemplateError(`${roleId}: the managed policy ${arn} is not known here.`);
  return readPolicy(document, roleId);
}

/** https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaBasicExecutionRole.html */
const awsManagedPolicies: Readonly<Record<string, unknown>> = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': {
    Statement: {
      Effect: 'Allow',
      Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: '*',
    },
  },
};
