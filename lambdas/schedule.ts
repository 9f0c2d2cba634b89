import { SQSClient } from '@aws-sdk/client-sqs';
import { systemClock } from '../core/clock.ts';
import { createFanOutQueue } from '../core/fan-out/queue.ts';
import { createPublish } from '../core/publish/publish.ts';
import { createScheduleQueue } from '../core/schedule/queue.ts';
import { createScheduling } from '../core/schedule/scheduling.ts';
import { createTick } from '../core/schedule/tick.ts';
import { createScheduleWorker, retrySecondsAfter } from '../core/schedule/worker.ts';
import { createSwitchboard } from '../core/switchboard.ts';
import { scheduleAttempts } from '../core/timing.ts';
import { readEnvironment } from './environment.ts';
import type { QueueEvent } from './events.ts';
import { log } from './logging/log.ts';
import { createResources } from './resources.ts';

const environment = readEnvironment('schedule');
const sqs = new SQSClient({});
const resources = createResources(environment);
const switchboard = createSwitchboard(resources, systemClock);
const parts = { ...switchboard, ...createScheduling(resources, systemClock) };
const queue = createScheduleQueue({ sqs, url: environment.SCHEDULE_QUEUE_URL });
const { publications } = switchboard;
const publish = createPublish({
  ...switchboard,
  publications: { ...publications, claim: (id, hash) => publications.claimWaiting(id, hash) },
  queue: createFanOutQueue({ sqs, url: environment.FAN_OUT_QUEUE_URL }),
  inlineLimit: environment.INLINE_LIMIT,
  durableTopics: environment.DURABLE_TOPICS,
});
const tick = createTick({ ...parts, queue });
const work = createScheduleWorker({ ...parts, queue, publish });

/** Takes the tick of each minute, and the messages whose time has come. */
export async function handler(event: object) {
  return isQueueEvent(event) ? workOn(event) : tick();
}

/** A message that failed is reported to the queue, which delivers it again. */
async function workOn({ Records }: QueueEvent) {
  const batch = Records.map(({ body, attributes }) => {
    const attempt = Number(attributes.ApproximateReceiveCount);
    return { body, attempt, isLastAttempt: attempt >= scheduleAttempts };
  });
  const failed = new Map((await work(batch)).map(({ index, cause }) => [index, cause]));
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const [index, { messageId, receiptHandle }] of Records.entries()) {
    const { attempt = 1, isLastAttempt = false } = batch[index] ?? {};
    if (!failed.has(index)) continue;
    const cause = failed.get(index);
    log.error('scheduled message failed', { messageId, attempt, cause });
    // No delay after the last attempt, so that the queue moves it to the dead-letter queue at once.
    await queue.retryIn(receiptHandle, isLastAttempt ? 0 : retrySecondsAfter(cause, attempt));
    batchItemFailures.push({ itemIdentifier: messageId });
  }
  return { batchItemFailures };
}

function isQueueEvent(event: object): event is QueueEvent {
  return 'Records' in event;
}
