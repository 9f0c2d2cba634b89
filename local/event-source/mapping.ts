import type { Functions, LambdaFunction } from '../lambda/functions.ts';
import { authorize } from '../iam/authorize.ts';
import { asBoolean, asNumber, asText, asTexts, toText } from '../json.ts';
import { principalOfFunction } from '../iam/roles.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** What an event source mapping says whatever its source. */
export interface Mapping {
  readonly logicalId: string;
  readonly lambda: LambdaFunction;
  readonly batchSize: number;
  readonly batchingWindowMs: number;
  readonly reportsItemFailures: boolean;
  readonly enabled: boolean;
}

export function readMapping(
  functions: Functions,
  { logicalId, properties }: Resource,
  defaultBatchSize: number,
): Mapping {
  const target = asText(properties.FunctionName) ?? '';
  const lambda = functions.byName(target) ?? functions.byArn(target);
  if (lambda === undefined)
    throw new TemplateError(`${logicalId}: its function ${target} is not in the template.`);
  return {
    logicalId,
    lambda,
    batchSize: asNumber(properties.BatchSize) ?? defaultBatchSize,
    batchingWindowMs: (asNumber(properties.MaximumBatchingWindowInSeconds) ?? 0) * 1000,
    reportsItemFailures: asTexts(properties.FunctionResponseTypes).includes('ReportBatchItemFailures'),
    enabled: asBoolean(properties.Enabled) ?? true,
  };
}

/** The first of the actions that the role of the function does not allow. Lambda reads and writes with this role. */
export function missingAction(
  deployment: Deployment,
  lambda: LambdaFunction,
  actions: readonly string[],
  resource: string,
): string | undefined {
  const found = deployment.resources.get(lambda.logicalId);
  if (found === undefined) return undefined;
  const principal = principalOfFunction(deployment, found);
  return actions.find((action) => !authorize(principal, action, resource).allowed);
}

/** The queue of the template with this ARN. */
export function queueOf(deployment: Deployment, arn: string): Resource | undefined {
  return deployment
    .ofType('AWS::SQS::Queue')
    .find(({ logicalId }) => deployment.attribute(logicalId, 'Arn') === arn);
}

/** A whole number of a mapping. CloudFormation refuses one outside its range. */
export function numberWithin(
  { logicalId, properties }: Resource,
  name: string,
  range: { readonly min: number; readonly max: number; readonly byDefault: number },
): number {
  const { min, max, byDefault } = range;
  const number = properties[name] === undefined ? byDefault : asNumber(properties[name]);
  if (number !== undefined && Number.isInteger(number) && number >= min && number <= max) return number;
  throw new TemplateError(
    `${logicalId}: ${name} is ${String(min)} to ${String(max)}, not ${toText(properties[name])}.`,
  );
}
