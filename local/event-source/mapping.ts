import type { Functions, LambdaFunction, Outcome } from '../lambda/functions.ts';
import { readFunction } from '../lambda/settings.ts';
import { authorize, type Principal } from '../iam/authorize.ts';
import { asBoolean, asNumber, asText, asTexts, toText } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** What an event source mapping says whatever its source. */
export interface Mapping {
  readonly logicalId: string;
  readonly lambda: MappedFunction;
  readonly batchSize: number;
  readonly batchingWindowMs: number;
  readonly reportsItemFailures: boolean;
  readonly enabled: boolean;
}

/** The function of a mapping. Another deployment may replace it while the mapping runs. */
export interface MappedFunction extends Omit<LambdaFunction, 'permits'> {
  /** Lambda reads and writes in its role. */
  readonly principal: Principal;
}

export function readMapping(
  deployment: Deployment,
  functions: Functions,
  { logicalId, properties }: Resource,
  defaultBatchSize: number,
): Mapping {
  const target = asText(properties.FunctionName) ?? '';
  const found = deployment
    .ofType('AWS::Lambda::Function')
    .map((resource) => ({ resource, ...readFunction(deployment, resource) }))
    .find(({ name, arn }) => name === target || arn === target);
  if (found === undefined)
    throw new TemplateError(`${logicalId}: its function ${target} is not in the template.`);
  return {
    logicalId,
    lambda: {
      logicalId: found.logicalId,
      name: found.name,
      arn: found.arn,
      timeoutSeconds: found.timeoutSeconds,
      invoke: async (event) => functions.byArn(found.arn)?.invoke(event) ?? functionIsGone,
      principal: functions.principalOf(deployment, found.resource),
    },
    batchSize: asNumber(properties.BatchSize) ?? defaultBatchSize,
    batchingWindowMs: (asNumber(properties.MaximumBatchingWindowInSeconds) ?? 0) * 1000,
    reportsItemFailures: asTexts(properties.FunctionResponseTypes).includes('ReportBatchItemFailures'),
    enabled: asBoolean(properties.Enabled) ?? true,
  };
}

const functionIsGone: Outcome = {
  status: 'error',
  errorType: 'ResourceNotFoundException',
  errorMessage: 'The function has been deleted.',
};

/** The first of the actions that the role of the function does not allow. */
export function missingAction(
  { principal }: Pick<MappedFunction, 'principal'>,
  actions: readonly string[],
  resource: string,
): string | undefined {
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
