import { createHash } from 'node:crypto';
import type { Outcome } from '../lambda/functions.ts';
import { asList, asRecord, asText, isRecord, type JsonRecord } from '../json.ts';

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

/** A batch has at most 6 MB, however many messages it may have. */
const maxBatchBytes = 6 * 1024 * 1024;

/** Cuts the received messages into batches. */
export function batchesOf(
  records: readonly EventRecord[],
  batchSize: number,
): readonly (readonly EventRecord[])[] {
  const batches: EventRecord[][] = [];
  let bytes = 0;
  for (const record of records) {
    const size = Buffer.byteLength(JSON.stringify(record));
    const last = batches.at(-1);
    if (last === undefined || last.length >= batchSize || bytes + size > maxBatchBytes) {
      batches.push([record]);
      bytes = size;
    } else {
      last.push(record);
      bytes += size;
    }
  }
  return batches;
}

/**
 * The messages that succeeded and can be deleted. After an error all have failed. In a partial response, an empty or
 * null list means that all succeeded; a malformed list or an unknown id means that all failed.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export function succeeded(
  batch: readonly EventRecord[],
  outcome: Outcome,
  reportsItemFailures: boolean,
): readonly EventRecord[] {
  if (outcome.status !== 'ok') return [];
  if (!reportsItemFailures) return batch;
  const failures = failedIds(outcome.payload);
  if (failures === undefined) return [];
  const known = new Set(batch.map(({ messageId }) => messageId));
  if (failures.some((id) => !known.has(id))) return [];
  return batch.filter(({ messageId }) => !failures.includes(messageId));
}

function failedIds(payload: unknown): readonly string[] | undefined {
  if (payload === null || payload === undefined) return [];
  if (!isRecord(payload)) return undefined;
  const { batchItemFailures: failures } = payload;
  if (failures === null || failures === undefined) return [];
  if (!Array.isArray(failures)) return undefined;
  const ids = asList(failures).map((failure) => asText(asRecord(failure).itemIdentifier) ?? '');
  return ids.includes('') ? undefined : ids;
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
