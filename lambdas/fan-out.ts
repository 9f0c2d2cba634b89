import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createFanOutQueue } from '../core/fan-out/queue.ts';
import { createFanOutWorker, retrySecondsAfter } from '../core/fan-out/worker.ts';
import { createPacer } from '../core/delivery/pacer.ts';
import { buildCaller } from './caller.ts';
import { readEnvironment } from './environment.ts';
import type { QueueEvent } from './events.ts';
import { log } from './log.ts';

const environment = readEnvironment('fan-out');
const pacer = createPacer({ rate: Number(environment.FAN_OUT_RATE), now: Date.now, wait });
const queue = createFanOutQueue({ sqs: new SQSClient({}), url: environment.FAN_OUT_QUEUE_URL });
const work = createFanOutWorker({
  ...buildCaller(environment, pacer),
  queue,
  newId: randomUUID,
  now: Date.now,
});
const lastAttempt = Number(environment.FAN_OUT_ATTEMPTS);

/** Works on jobs of the fan-out; those that fail are told to the queue, which hands them out again. */
export async function handler({ Records }: QueueEvent, context: { getRemainingTimeInMillis(): number }) {
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const { messageId, receiptHandle, body, attributes } of Records) {
    const attempt = Number(attributes.ApproximateReceiveCount);
    try {
      await work(body, Date.now() + context.getRemainingTimeInMillis(), attempt >= lastAttempt);
    } catch (cause) {
      log.error('job failed', { messageId, attempt, cause });
      // After the last attempt at once: the queue then finds that it has been received too often, and moves it.
      await queue.retryIn(receiptHandle, attempt < lastAttempt ? retrySecondsAfter(cause, attempt) : 0);
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
}
