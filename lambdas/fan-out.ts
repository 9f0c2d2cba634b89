import { SQSClient } from '@aws-sdk/client-sqs';
import { systemClock } from '../core/clock.ts';
import { createFanOutQueue } from '../core/fan-out/queue.ts';
import { createFanOutWorker, retrySecondsAfter } from '../core/fan-out/worker.ts';
import { createSwitchboard } from '../core/switchboard.ts';
import { fanOutAttempts } from '../core/timing.ts';
import { readEnvironment } from './environment.ts';
import type { QueueEvent } from './events.ts';
import { log } from './logging/log.ts';
import { createResources } from './resources.ts';

const environment = readEnvironment('fan-out');
const queue = createFanOutQueue({ sqs: new SQSClient({}), url: environment.FAN_OUT_QUEUE_URL });
const switchboard = createSwitchboard(createResources(environment), systemClock);
const work = createFanOutWorker({ ...switchboard, queue });

/** Runs fan-out jobs. A failed job is reported to the queue, which delivers it again. */
export async function handler({ Records }: QueueEvent, context: { getRemainingTimeInMillis(): number }) {
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const { messageId, receiptHandle, body, attributes } of Records) {
    const attempt = Number(attributes.ApproximateReceiveCount);
    const isLast = attempt >= fanOutAttempts;
    try {
      await work(body, systemClock.now() + context.getRemainingTimeInMillis(), isLast);
    } catch (cause) {
      log.error('job failed', { messageId, attempt, cause });
      // No delay after the last attempt, so that the queue moves the job to the dead-letter queue at once.
      await queue.retryIn(receiptHandle, isLast ? 0 : retrySecondsAfter(cause, attempt));
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
}
