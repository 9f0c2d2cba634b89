import { SQSClient } from '@aws-sdk/client-sqs';
import { systemClock as clock } from '../core/clock.ts';
import { readLifecycleEvent } from '../core/lifecycle/event.ts';
import { createRetryQueue, readRetry } from '../core/lifecycle/retries.ts';
import { createTell } from '../core/lifecycle/tell.ts';
import { readEnvironment } from './environment.ts';
import type { QueueEvent, StreamEvent } from './events.ts';
import { log } from './logging/log.ts';
import { sendParts } from './targets.ts';

const { LIFECYCLE_TARGETS: targets, LIFECYCLE_RETRIES_URL: url } = readEnvironment('lifecycle');
const retries = createRetryQueue({ sqs: new SQSClient({}), url });
const tell = createTell({ targets, retries, logger: log, ...sendParts });

/** Tells lifecycle targets: first from the stream of the sessions table, then from the queue of retries. */
export async function handler({ Records }: StreamEvent | QueueEvent) {
  const failed = await Promise.all(
    sequencesOf(Records).map(async (sequence) => {
      const failures: string[] = [];
      for (const record of sequence) {
        const failure = await ('dynamodb' in record ? takeChange(record) : takeRetry(record));
        if (failure !== undefined) failures.push(failure);
      }
      return failures;
    }),
  );
  return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
}

type ChangeRecord = StreamEvent['Records'][number];
type RetryRecord = QueueEvent['Records'][number];

/** The records of one session keep their order. Those of different sessions run side by side, and so do retries. */
function sequencesOf(
  records: readonly (ChangeRecord | RetryRecord)[],
): readonly (readonly (ChangeRecord | RetryRecord)[])[] {
  const sequences = new Map<string, (ChangeRecord | RetryRecord)[]>();
  for (const record of records) {
    const key = 'dynamodb' in record ? JSON.stringify(record.dynamodb.Keys) : record.messageId;
    sequences.set(key, [...(sequences.get(key) ?? []), record]);
  }
  return [...sequences.values()];
}

/** Resolves to the id of a record that the stream must deliver again. */
async function takeChange(record: ChangeRecord): Promise<string | undefined> {
  const { SequenceNumber } = record.dynamodb;
  try {
    await tell.all(readLifecycleEvent(record, clock.now()));
    return undefined;
  } catch (cause) {
    log.error('lifecycle event failed', { SequenceNumber, cause });
    return SequenceNumber;
  }
}

/** Resolves to the id of a message that the queue must deliver again. */
async function takeRetry({ messageId, receiptHandle, body, attributes }: RetryRecord) {
  const tries = Number(attributes.ApproximateReceiveCount);
  try {
    await tell.again(readRetry(body));
    return undefined;
  } catch (cause) {
    log.error('lifecycle retry failed', { messageId, tries, cause });
    await retries.postpone(receiptHandle, tries);
    return messageId;
  }
}
