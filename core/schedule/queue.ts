import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { delayUntil } from '../sessions/check-queue.ts';
import type { DueMessage } from './rows.ts';

export type ScheduleQueue = ReturnType<typeof createScheduleQueue>;

/** A message, and when the queue delivers it. */
export interface DelayedMessage {
  readonly due: DueMessage;
  /** Epoch milliseconds. The queue is to the second, never early, and waits 15 minutes at most. */
  readonly at: number;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const maxBatch = 10;

/** The queue in which messages wait for their second, and for a worker. */
export function createScheduleQueue({ sqs, url }: { sqs: SQSClient; url: string }) {
  return {
    /** Throws if the queue did not take all of them. */
    async send(messages: readonly DelayedMessage[], now: number): Promise<void> {
      for (let from = 0; from < messages.length; from += maxBatch) {
        const { Failed } = await sqs.send(
          new SendMessageBatchCommand({
            QueueUrl: url,
            Entries: messages.slice(from, from + maxBatch).map(({ due, at }, index) => ({
              Id: String(index),
              MessageBody: JSON.stringify(due),
              DelaySeconds: delayUntil(at, now),
              // Keeps the messages of one tenant from delaying another's (SQS, fair queues).
              MessageGroupId: due.tenant,
            })),
          }),
        );
        const [failure] = Failed ?? [];
        if (failure) throw new Error(`The queue refused a message: ${failure.Code ?? 'unknown'}.`);
      }
    },

    /** Lets the queue deliver a failed message again after so many seconds, before its visibility timeout ends. */
    async retryIn(receiptHandle: string, seconds: number): Promise<void> {
      await sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: url,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        }),
      );
    },
  };
}
