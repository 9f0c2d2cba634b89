import type { StreamRecord } from '../../dynamodb/stream.ts';
import type { Outcome } from '../../lambda/functions.ts';
import type { Sqs } from '../../sqs/sqs.ts';
import { stableUuid } from '../../template/stable-id.ts';
import type { StreamSettings } from './settings.ts';

/** A batch that Lambda gives up. */
export interface Failure {
  readonly records: readonly StreamRecord[];
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  readonly invocations: number;
  /** Of the last invocation; `undefined` if there was none. */
  readonly outcome: Outcome | undefined;
}

export type SendFailure = (failure: Failure) => Promise<void>;

/** Sends failures to the on-failure destination. Without one, Lambda drops the records. */
export function createFailureSender(
  settings: StreamSettings,
  sqs: Pick<Sqs, 'call'>,
  now: () => number,
): SendFailure {
  const { failureQueueName } = settings;
  return async (failure) => {
    if (failureQueueName === undefined) return;
    const MessageBody = JSON.stringify(failureDocument(settings, failure, now()));
    await sqs.call('SendMessage', failureQueueName, { MessageBody });
  };
}

/**
 * Lambda sends where the records are in the stream, not the records.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
function failureDocument(
  { logicalId, lambda, stream }: StreamSettings,
  { records, condition, invocations, outcome }: Failure,
  now: number,
): object {
  const first = records[0]?.dynamodb;
  const last = records.at(-1)?.dynamodb;
  return {
    requestContext: {
      requestId: stableUuid(`${logicalId} ${first?.SequenceNumber ?? ''} ${String(invocations)}`),
      functionArn: lambda.arn,
      condition,
      approximateInvokeCount: invocations,
    },
    ...responseContext(outcome),
    version: '1.0',
    timestamp: new Date(now).toISOString(),
    DDBStreamBatchInfo: {
      shardId: stream.shardId,
      startSequenceNumber: first?.SequenceNumber,
      endSequenceNumber: last?.SequenceNumber,
      approximateArrivalOfFirstRecord: isoSecond(first?.ApproximateCreationDateTime ?? 0),
      approximateArrivalOfLastRecord: isoSecond(last?.ApproximateCreationDateTime ?? 0),
      batchSize: records.length,
      streamArn: stream.arn,
    },
  };
}

function responseContext(outcome: Outcome | undefined): object {
  if (outcome === undefined || outcome.status === 'throttled') return {};
  const functionError = outcome.status === 'error' ? { functionError: 'Unhandled' } : {};
  return { responseContext: { statusCode: 200, executedVersion: '$LATEST', ...functionError } };
}

/** `2019-11-14T00:13:19Z` */
function isoSecond(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().replace('.000', '');
}
