import type { TableStream } from '../../dynamodb/stream.ts';
import { type EventPattern, EventPatternError, readEventPattern } from '../../event-pattern/event-pattern.ts';
import type { Functions } from '../../lambda/functions.ts';
import { asBoolean, asList, asRecord, asText, parseJson, toText } from '../../json.ts';
import {
  type MappedFunction,
  type Mapping,
  missingAction,
  numberWithin,
  queueOf,
  readMapping,
} from '../mapping.ts';
import { TemplateError } from '../../template/template-error.ts';
import type { Deployment, Resource } from '../../template/template.ts';

/** One event source mapping of a function on a stream. */
export interface StreamSettings extends Mapping {
  readonly stream: TableStream;
  /** How many batches run at the same time. The records of one item are always in the same lane. */
  readonly lanes: number;
  /** The function gets a record that one of them matches, or every record if there is none. */
  readonly filters: readonly EventPattern[];
  readonly bisects: boolean;
  readonly maxRetries: number;
  readonly maxAgeMs: number;
  /** The queue for the discarded batches. */
  readonly failureQueueName: string | undefined;
}

/**
 * The settings of a mapping on a stream, and some that change nothing here.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
 */
const knownSettings = [
  ...['BatchSize', 'BisectBatchOnFunctionError', 'DestinationConfig', 'Enabled', 'EventSourceArn'],
  ...['FilterCriteria', 'FunctionName', 'FunctionResponseTypes', 'MaximumBatchingWindowInSeconds'],
  ...['MaximumRecordAgeInSeconds', 'MaximumRetryAttempts', 'ParallelizationFactor', 'StartingPosition'],
  ...['KmsKeyArn', 'LoggingConfig', 'MetricsConfig', 'Tags'],
];

/** A stream keeps its records for a day. */
const retentionSeconds = 24 * 3600;

/** Reads a mapping. Refuses one that Lambda would refuse, or that cannot run here. */
export function readStreamSource(
  deployment: Deployment,
  functions: Functions,
  resource: Resource,
  stream: TableStream,
): StreamSettings {
  const { logicalId, properties } = resource;
  const unknown = Object.keys(properties).find((name) => !knownSettings.includes(name));
  if (unknown !== undefined) throw new TemplateError(`${logicalId}: ${unknown} of a stream cannot run here.`);
  // The stream starts with this process, so both positions are the same one here.
  if (properties.StartingPosition !== 'TRIM_HORIZON' && properties.StartingPosition !== 'LATEST') {
    const given = toText(properties.StartingPosition);
    throw new TemplateError(`${logicalId}: StartingPosition is TRIM_HORIZON or LATEST, not ${given}.`);
  }
  const mapping = readMapping(deployment, functions, resource, 100);
  checkRights(logicalId, mapping.lambda, stream.arn);
  const windowSeconds = numberWithin(resource, 'MaximumBatchingWindowInSeconds', {
    min: 0,
    max: 300,
    byDefault: 0,
  });
  const retries = numberWithin(resource, 'MaximumRetryAttempts', { min: -1, max: 10_000, byDefault: -1 });
  return {
    ...mapping,
    stream,
    batchSize: numberWithin(resource, 'BatchSize', { min: 1, max: 10_000, byDefault: 100 }),
    batchingWindowMs: windowSeconds * 1000,
    lanes: numberWithin(resource, 'ParallelizationFactor', { min: 1, max: 10, byDefault: 1 }),
    filters: asList(asRecord(properties.FilterCriteria).Filters).map((filter) =>
      readFilter(logicalId, asRecord(filter).Pattern),
    ),
    bisects: asBoolean(properties.BisectBatchOnFunctionError) ?? false,
    maxRetries: retries === -1 ? Infinity : retries,
    maxAgeMs: maxAgeSeconds(resource) * 1000,
    failureQueueName: readFailureQueue(deployment, resource, mapping.lambda),
  };
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html */
function maxAgeSeconds(resource: Resource): number {
  const name = 'MaximumRecordAgeInSeconds';
  const seconds = numberWithin(resource, name, { min: -1, max: 604_800, byDefault: -1 });
  if (seconds !== -1 && seconds < 60) {
    throw new TemplateError(`${resource.logicalId}: ${name} is -1 or at least 60, not ${String(seconds)}.`);
  }
  return seconds === -1 ? retentionSeconds : Math.min(seconds, retentionSeconds);
}

function readFilter(logicalId: string, text: unknown): EventPattern {
  const pattern = parseJson(asText(text) ?? '');
  if (pattern === undefined) throw new TemplateError(`${logicalId}: its filter ${toText(text)} is not JSON.`);
  try {
    return readEventPattern(pattern.value);
  } catch (error) {
    if (!(error instanceof EventPatternError)) throw error;
    throw new TemplateError(`${logicalId}: ${error.message}`, { cause: error });
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-dynamodb-permissions */
function checkRights(logicalId: string, lambda: MappedFunction, arn: string): void {
  const actions = ['GetRecords', 'GetShardIterator', 'DescribeStream', 'ListStreams'];
  const missing = missingAction(
    lambda,
    actions.map((action) => `dynamodb:${action}`),
    arn,
  );
  if (missing === undefined) return;
  throw new TemplateError(
    `${logicalId}: Cannot access stream ${arn}. Please ensure the role can perform the GetRecords, ` +
      `GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM. ${missing} is missing.`,
  );
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html */
function readFailureQueue(
  deployment: Deployment,
  { logicalId, properties }: Resource,
  lambda: MappedFunction,
): string | undefined {
  const destination = asRecord(asRecord(properties.DestinationConfig).OnFailure).Destination;
  if (destination === undefined) return undefined;
  const arn = asText(destination) ?? '';
  const queue = queueOf(deployment, arn);
  if (queue === undefined)
    throw new TemplateError(
      `${logicalId}: its on-failure destination ${arn} is not a queue of the template.`,
    );
  if (missingAction(lambda, ['sqs:SendMessage'], arn) !== undefined) {
    throw new TemplateError(
      `${logicalId}: The function's execution role does not have permissions to call SendMessage on ${arn}`,
    );
  }
  return deployment.attribute(queue.logicalId, 'QueueName');
}
