import { SQSClient } from '@aws-sdk/client-sqs';
import { createFanOutQueue } from '../core/fan-out/queue.ts';
import { createPublish, type Publish } from '../core/publish/publish.ts';
import { createScheduleQueue } from '../core/schedule/queue.ts';
import { createSchedule, withSchedule } from '../core/schedule/schedule.ts';
import { createScheduling } from '../core/schedule/scheduling.ts';
import type { Resources, Switchboard } from '../core/switchboard.ts';

/** The publish of a function that publishes now, and at a later time if the stack does so. */
export function createPublisher(
  resources: Resources,
  switchboard: Switchboard,
  environment: {
    readonly INLINE_LIMIT: number;
    readonly FAN_OUT_QUEUE_URL: string;
    readonly DURABLE_TOPICS: readonly string[];
    readonly SCHEDULE_QUEUE_URL: string;
  },
): Publish {
  const { INLINE_LIMIT, FAN_OUT_QUEUE_URL, DURABLE_TOPICS: durableTopics, SCHEDULE_QUEUE_URL } = environment;
  const sqs = new SQSClient({});
  const queue = createFanOutQueue({ sqs, url: FAN_OUT_QUEUE_URL });
  const publish = createPublish({ ...switchboard, queue, inlineLimit: INLINE_LIMIT, durableTopics });
  if (SCHEDULE_QUEUE_URL === '') return withSchedule(publish, undefined);
  const scheduling = createScheduling(resources, switchboard.clock);
  const times = createScheduleQueue({ sqs, url: SCHEDULE_QUEUE_URL });
  return withSchedule(
    publish,
    createSchedule({ ...scheduling, clock: switchboard.clock, queue: times, durableTopics }),
  );
}
