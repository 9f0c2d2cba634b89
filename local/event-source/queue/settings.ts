import type { Functions, LambdaFunction } from '../lambda/functions.ts';
import { authorize } from '../iam/authorize.ts';
import { asBoolean, asNumber, asRecord, asText, asTexts } from '../json.ts';
import { principalOfFunction } from '../iam/roles.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** One event source mapping of a function on a queue. */
export interface EventSourceSettings {
  readonly queueArn: string;
  readonly queueName: string;
  readonly lambda: LambdaFunction;
  readonly batchSize: number;
  readonly batchingWindowMs: number;
  readonly maxConcurrency: number;
  readonly reportsItemFailures: boolean;
  readonly enabled: boolean;
}

/** Lambda starts with five concurrent batches for a standard queue. Without a setting, the laptop never has more. */
const defaultConcurrency = 5;

/** Reads a mapping. Refuses one that Lambda would refuse. */
export function readEventSource(
  deployment: Deployment,
  functions: Functions,
  resource: Resource,
): EventSourceSettings {
  const { logicalId, properties } = resource;
  const queueArn = asText(properties.EventSourceArn) ?? '';
  const queue = deployment
    .ofType('AWS::SQS::Queue')
    .find((candidate) => deployment.attribute(candidate.logicalId, 'Arn') === queueArn);
  if (queue === undefined)
    throw new TemplateError(`${logicalId}: its event source ${queueArn} is not a queue of the template.`);
  const target = asText(properties.FunctionName) ?? '';
  const lambda = functions.byName(target) ?? functions.byArn(target);
  if (lambda === undefined)
    throw new TemplateError(`${logicalId}: its function ${target} is not in the template.`);
  if (properties.FilterCriteria !== undefined)
    throw new TemplateError(`${logicalId}: filter criteria cannot run here.`);
  const settings = {
    queueArn,
    queueName: deployment.attribute(queue.logicalId, 'QueueName'),
    lambda,
    batchSize: asNumber(properties.BatchSize) ?? 10,
    batchingWindowMs: (asNumber(properties.MaximumBatchingWindowInSeconds) ?? 0) * 1000,
    maxConcurrency: asNumber(asRecord(properties.ScalingConfig).MaximumConcurrency) ?? defaultConcurrency,
    reportsItemFailures: asTexts(properties.FunctionResponseTypes).includes('ReportBatchItemFailures'),
    enabled: asBoolean(properties.Enabled) ?? true,
  };
  checkBatch(logicalId, settings);
  checkVisibility(logicalId, queue, lambda);
  checkRights(deployment, logicalId, settings);
  return settings;
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html */
function checkBatch(
  logicalId: string,
  { batchSize, batchingWindowMs, maxConcurrency }: EventSourceSettings,
): void {
  if (batchSize > 10 && batchingWindowMs < 1000) {
    throw new TemplateError(
      `${logicalId}: a batch size above 10 needs a batching window of at least 1 second.`,
    );
  }
  if (maxConcurrency < 2 || maxConcurrency > 1000) {
    throw new TemplateError(
      `${logicalId}: the maximum concurrency is 2 to 1000, not ${String(maxConcurrency)}.`,
    );
  }
}

/** Otherwise a message could come back while its batch still runs, and be handled twice. */
function checkVisibility(logicalId: string, queue: Resource, lambda: LambdaFunction): void {
  const visibilitySeconds = asNumber(queue.properties.VisibilityTimeout) ?? 30;
  if (visibilitySeconds >= lambda.timeoutSeconds) return;
  throw new TemplateError(
    `${logicalId}: Queue visibility timeout: ${String(visibilitySeconds)} seconds is less than ` +
      `Function timeout: ${String(lambda.timeoutSeconds)} seconds`,
  );
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions */
function checkRights(
  deployment: Deployment,
  logicalId: string,
  { lambda, queueArn }: EventSourceSettings,
): void {
  const resource = deployment.resources.get(lambda.logicalId);
  if (resource === undefined) return;
  const principal = principalOfFunction(deployment, resource);
  const missing = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].find(
    (action) => !authorize(principal, `sqs:${action}`, queueArn).allowed,
  );
  if (missing === undefined) return;
  throw new TemplateError(
    `${logicalId}: The provided execution role does not have permissions to call ${missing} on SQS (${lambda.logicalId})`,
  );
}
