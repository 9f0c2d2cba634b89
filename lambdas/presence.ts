import { SQSClient } from '@aws-sdk/client-sqs';
import { systemClock } from '../core/clock.ts';
import { createFanOutQueue } from '../core/fan-out/queue.ts';
import { createPresence } from '../core/presence/presence.ts';
import { createPresenceQueue } from '../core/presence/queue.ts';
import { createPublish } from '../core/publish/publish.ts';
import { createSwitchboard } from '../core/switchboard.ts';
import { readEnvironment } from './environment.ts';
import type { QueueEvent, StreamEvent } from './events.ts';
import { log } from './logging/log.ts';
import { createResources } from './resources.ts';

const environment = readEnvironment('presence');
const { PRESENCE: settings } = environment;
if (!settings) throw new Error('The environment variable PRESENCE is empty.');
const sqs = new SQSClient({});
const switchboard = createSwitchboard(createResources(environment), systemClock);
const { takeChanges, takeTask } = createPresence({
  ...switchboard,
  publish: createPublish({
    ...switchboard,
    queue: createFanOutQueue({ sqs, url: environment.FAN_OUT_QUEUE_URL }),
    inlineLimit: environment.INLINE_LIMIT,
    durableTopics: environment.DURABLE_TOPICS,
  }),
  queue: createPresenceQueue(sqs, settings.queueUrl),
  graceMs: settings.graceSeconds * 1000,
});

/** Tells watchers who comes and goes: from the stream of the sessions table, and from the queue of later looks. */
export async function handler({ Records }: StreamEvent | QueueEvent) {
  const tasks = Records.flatMap((record) => ('body' in record ? [record] : []));
  const changes = Records.flatMap((record) => ('dynamodb' in record ? [record] : []));
  const failed = await Promise.all([takeChanges(changes), takeTasks(tasks)]);
  return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
}

/** Resolves to the ids of messages that the queue must deliver again. */
async function takeTasks(records: QueueEvent['Records']): Promise<readonly string[]> {
  const failed = await Promise.all(
    records.map(async ({ messageId, body }) => {
      try {
        await takeTask(body);
        return [];
      } catch (cause) {
        log.error('presence task failed', { messageId, cause });
        return [messageId];
      }
    }),
  );
  return failed.flat();
}
