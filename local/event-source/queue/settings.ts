import type { Functions } from '../../lambda/functions.ts';
import { type MappedFunction, type Mapping, missingAction, readMapping } from '../mapping.ts';
import { asNumber, asRecord } from '../../json.ts';
import { TemplateError } from '../../template/template-error.ts';
import type { Deployment, Resource } from '../../template/template.ts';

/** One event source mapping of a function on a queue. */
export interface QueueSettings extends Mapping {
  readonly queueArn: string;
  readonly queueName: string;
  readonly maxConcurrency: number;
}

/** Lambda starts with five concurrent batches for a standard queue. Without a setting, the laptop never has more. */
const defaultConcurrency = 5;

/** Reads a mapping. Refuses one that Lambda would refuse. */
export function readQueueSource(
  deployment: Deployment,
  functions: Functions,
  resource: Resource,
  queue: Resource,
): QueueSettings {
  const { logicalId, properties } = resource;
  const mapping = readMapping(deployment, functions, resource, 10);
  if (properties.FilterCriteria !== undefined)
    throw new TemplateError(`${logicalId}: filter criteria of a queue cannot run here.`);
  const settings = {
    ...mapping,
    queueArn: deployment.attribute(queue.logicalId, 'Arn'),
    queueName: deployment.attribute(queue.logicalId, 'QueueName'),
    maxConcurrency: asNumber(asRecord(properties.ScalingConfig).MaximumConcurrency) ?? defaultConcurrency,
  };
  checkBatch(settings);
  checkVisibility(logicalId, queue, mapping.lambda);
  checkRights(settings);
  return settings;
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html */
function checkBatch({ logicalId, batchSize, batchingWindowMs, maxConcurrency }: QueueSettings): void {
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
function checkVisibility(logicalId: string, queue: Resource, lambda: MappedFunction): void {
  const visibilitySeconds = asNumber(queue.properties.VisibilityTimeout) ?? 30;
  if (visibilitySeconds >= lambda.timeoutSeconds) return;
  throw new TemplateError(
    `${logicalId}: Queue visibility timeout: ${String(visibilitySeconds)} seconds is less than ` +
      `Function timeout: ${String(lambda.timeoutSeconds)} seconds`,
  );
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions */
function checkRights({ logicalId, lambda, queueArn }: QueueSettings): void {
  const actions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
  const missing = missingAction(lambda, actions, queueArn);
  if (missing === undefined) return;
  throw new TemplateError(
    `${logicalId}: The provided execution role does not have permissions to call ${missing.replace('sqs:', '')} on SQS (${lambda.logicalId})`,
  );
}
