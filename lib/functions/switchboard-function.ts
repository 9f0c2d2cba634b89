import { Stack, Validations, type Duration, type RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import * as z from 'zod/mini';
import type { FunctionName } from '../../lambdas/environment.ts';
import { functionCode } from './function-code.ts';

/** How long logs are kept, and whether the log group stays when the function is deleted. */
export interface FunctionLogs {
  readonly logRetention: RetentionDays;
  readonly removalPolicy: RemovalPolicy;
}

export interface SwitchboardFunctionProps extends FunctionLogs {
  /** The name of the function. Its code is `lambdas/<entry>.ts`. */
  readonly entry: FunctionName;
  /** The owner's modules: listeners, which `message` runs, or the mapping of a `change`. */
  readonly modules?: readonly string[];
  readonly description: string;
  /** Exactly the variables that `FunctionEnvironments` names for this entry. */
  readonly environment: Readonly<Record<string, string>>;
  /** Memory in MB. Lambda gives CPU in proportion: a whole core at 1,769 MB. */
  readonly memorySize: number;
  readonly timeout: Duration;
}

/**
 * A function of the stack. Its role may write to its own log group and nothing else. Every other right is granted by
 * the code that sets the variables.
 */
export class SwitchboardFunction extends lambda.Function {
  private readonly executionRole: Role;

  constructor(scope: Construct, id: string, props: SwitchboardFunctionProps) {
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: props.logRetention,
      removalPolicy: props.removalPolicy,
    });
    // The managed AWSLambdaBasicExecutionRole would allow writes to every log group of the account.
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );

    super(scope, id, {
      description: props.description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: functionCode(scope, props.entry, props.modules),
      handler: 'index.handler',
      environment: props.environment,
      memorySize: props.memorySize,
      timeout: props.timeout,
      role,
      logGroup,
    });
    this.executionRole = role;
  }

  /** Keeps so many executions for this function. They are also its most. */
  reserve(executions: number): void {
    const { defaultChild } = this.node;
    if (defaultChild instanceof lambda.CfnFunction) defaultChild.reservedConcurrentExecutions = executions;
  }

  /** Adds a statement to the role's policy. A resource with a wildcard needs a reason why it cannot be narrower. */
  allow(actions: readonly string[], resources: readonly string[], wildcardReason?: string): void {
    this.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources: [...resources] }));
    if (wildcardReason === undefined) return;
    for (const resource of resources) {
      const finding = `AwsSolutions-IAM5[Resource::${withReferences(this, resource)}]`;
      Validations.of(this.executionRole).acknowledge({ id: finding, reason: wildcardReason });
    }
  }
}

/** An ARN as cdk-nag writes it: each reference as `<LogicalId>`. */
function withReferences(scope: Construct, arn: string): string {
  const { 'Fn::Join': join } = joinedArn.parse(Stack.of(scope).resolve(arn));
  return join[1].map((part) => (typeof part === 'string' ? part : `<${part.Ref}>`)).join('');
}

const joinedArn = z.object({
  'Fn::Join': z.tuple([z.literal(''), z.array(z.union([z.string(), z.object({ Ref: z.string() })]))]),
});
