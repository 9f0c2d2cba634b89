import { createHash } from 'node:crypto';
import { reportedFailures } from '../batch.ts';
import type { Outcome } from '../../lambda/functions.ts';
import { asRecord, asText, type JsonRecord } from '../../json.ts';

/** A message in the form of an SQS event of Lambda. */
export interface EventRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: JsonRecord;
  readonly messageAttributes: JsonRecord;
  readonly md5OfMessageAttributes?: string;
  readonly md5OfBody: string;
  readonly eventSource: 'aws:sqs';
  readonly eventSourceARN: string;
  readonly awsRegion: string;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event */
export function eventRecord(message: JsonRecord, queueArn: string): EventRecord {
  const body = asText(message.Body) ?? '';
  const attributesMd5 = asText(message.MD5OfMessageAttributes);
  return {
    messageId: asText(message.MessageId) ?? '',
    receiptHandle: asText(message.ReceiptHandle) ?? '',
    body,
    attributes: asRecord(message.Attributes),
    messageAttributes: Object.fromEntries(
      Object.entries(asRecord(message.MessageAttributes)).map(([name, value]) => [
        name,
        eventAttribute(asRecord(value)),
      ]),
    ),
    ...(attributesMd5 === undefined ? {} : { md5OfMessageAttributes: attributesMd5 }),
    md5OfBody: asText(message.MD5OfBody) ?? createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: queueArn.split(':')[3] ?? '',
  };
}

/** The messages that succeeded and can be deleted. After an error all have failed. */
export function succeeded(
  batch: readonly EventRecord[],
  outcome: Outcome,
  reportsItemFailures: boolean,
): readonly EventRecord[] {
  if (outcome.status !== 'ok') return [];
  if (!reportsItemFailures) return batch;
  const failed = reportedFailures(
    outcome.payload,
    batch.map(({ messageId }) => messageId),
  );
  return batch.filter(({ messageId }) => !failed.has(messageId));
}

/** In an event, the fields of an attribute start with a small letter. */
function eventAttribute({ StringValue, BinaryValue, DataType }: JsonRecord): JsonRecord {
  return {
    ...(StringValue === undefined ? {} : { stringValue: StringValue }),
    ...(BinaryValue === undefined ? {} : { binaryValue: BinaryValue }),
    stringListValues: [],
    binaryListValues: [],
    dataType: DataType,
  };
}
