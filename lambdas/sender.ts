import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createFanOutQueue } from '../core/fan-out/queue.ts';
import { createPublish, createReply } from '../core/publish/publish.ts';
import { patternsOf } from '../core/auth/topic-patterns.ts';
import { buildCaller } from './caller.ts';
import type { FunctionEnvironments } from './environment.ts';

/** The parts of a function that publishes. */
export function buildSender(environment: FunctionEnvironments['publish']) {
  const caller = buildCaller(environment);
  const queue = createFanOutQueue({ sqs: new SQSClient({}), url: environment.FAN_OUT_QUEUE_URL });
  const inlineLimit = Number(environment.INLINE_LIMIT);
  const durableTopics = patternsOf(environment.DURABLE_TOPICS);
  const common = { ...caller, newId: randomUUID, now: Date.now };
  return {
    ...caller,
    publish: createPublish({ ...common, queue, inlineLimit, durableTopics, wait }),
    reply: createReply(common),
  };
}
